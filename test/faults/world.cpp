// The loop, the script and the end of a simulated run.
#include "world.h"

#include <algorithm>

namespace soref::faults {

namespace {

// As binding/ has it.
constexpr std::uint64_t kAcceptRetryMilliseconds = 50;
// A byte may take a turn, where a stream has room for no more.
constexpr int kMostTurns = 100'000;

Memory& memory() {
  static Memory one;
  return one;
}

}  // namespace

World::Settings World::varied(Choices& choices) {
  const auto one_of = [&](auto... values) {
    const std::uint32_t all[] = {static_cast<std::uint32_t>(values)...};
    return all[choices.below(sizeof...(values))];
  };
  Settings settings;
  settings.behaviour = {.nonblocking = choices.one_in(2),
                        .submission_entries = one_of(1, 2, 64),
                        .completion_entries = one_of(1, 3, 64),
                        .latency = one_of(0, 0, 7),
                        .holds_back = one_of(0, 2, 6),
                        .takes_part = one_of(0, 0, 3),
                        .ends_early = one_of(0, 2),
                        .cancels_at_once = one_of(0, 2),
                        .defers_sends = one_of(0, 1, 2),
                        .would_block = one_of(0, 0, 4),
                        .receives_on = one_of(0, 2)};
  settings.limits = {.descriptors = one_of(5, 12, 64, 64),
                     .stream = one_of(1, 50, 1000, 5000),
                     .short_sends = one_of(0, 2),
                     .short_receives = one_of(0, 2)};
  settings.buffers = one_of(1, 2, 16);
  return settings;
}

World::World(const RunPlan& plan, const Settings& settings, Choices& choices,
             Choices& engine_choices, FaultPlan& faults, RunReport& report)
    : plan_(plan),
      choices_(&choices),
      report_(&report),
      kernel_(engine_choices, faults, settings.limits),
      epoll_(kernel_, settings.behaviour.holds_back),
      system_calls_(kernel_, epoll_) {
  const core::SharedMemory shared = memory().shared();
  auto ledger = std::make_unique<base::Ledger>();
  const engine::BufferPool pool{shared.receive.data(), core::kReceiveBufferSize, settings.buffers};
  engine_ = make_tested_engine(settings.engine, kernel_, epoll_, engine_choices, settings.behaviour,
                               pool, *ledger);
  core_ = std::make_unique<core::Core>(std::move(engine_.engine), shared, std::move(ledger));
  consumer_ = std::make_unique<Consumer>(*core_, kernel_, memory(), choices, report);
  consumer_->after_event = [this](Holder* holder) { pass_moment(holder); };
}

World::~World() {
  if (!exited_) exit();
  check_nothing_left();
}

// --- the loop

void World::turn() {
  bool busy = core_->end_turn();
  consumer_->note_drained();
  quiet_ = false;
  if (core_->has_paused_accepts() && retry_at_ == 0) {
    retry_at_ = kernel_.now() + kAcceptRetryMilliseconds;
  }
  if (!busy && !engine_.wakes()) {
    // The loop blocks until the next thing that can happen by itself.
    const std::uint64_t due = engine_.next_due();
    if (due != 0) {
      kernel_.advance(due - kernel_.now());
    } else if (retry_at_ != 0 && vain_retries_ < 2) {
      kernel_.advance(std::max(retry_at_, kernel_.now()) - kernel_.now());
    } else {
      quiet_ = true;
    }
  }
  if (retry_at_ != 0 && kernel_.now() >= retry_at_) {
    retry_at_ = 0;
    const std::uint64_t detached = core_->ledger().detached;
    vain_retries_ = detached == detached_at_retry_ ? vain_retries_ + 1 : 0;
    detached_at_retry_ = detached;
    core_->retry_accepts();
    quiet_ = false;
  }
  core_->engine().acknowledge_wakeup();
  core_->begin_turn();
  if (!core_->has_events()) return;
  quiet_ = false;
  core_->deliver([this] { consumer_->dispatch(); });
}

void World::turn_until_quiet() {
  for (int turns = 0; turns < kMostTurns && !exited_; ++turns) {
    turn();
    if (!quiet_) continue;
    check_nothing_forgotten();
    return;
  }
  expect(exited_, "a run comes to rest");
}

// --- the script

void World::run_script(std::uint32_t steps) {
  consumer_->open_listener(choices_->below(protocol::kFamilies));
  for (std::uint32_t count = 0; count < steps && !exited_; ++count) {
    step();
    if (!exited_) pass_moment(nullptr);
  }
  if (!exited_) turn_until_quiet();
  if (!exited_) end(choices_->below(3) != 0);
}

void World::step() {
  switch (choices_->below(8)) {
    case 0:
    case 1:
      return consumer_->act();
    case 2:
    case 3:
    case 4:
      return act_outside();
    default:
      return turn();
  }
}

void World::act_outside() {
  const std::uint32_t what = choices_->below(10);
  std::vector<Endpoint*> listeners;
  std::vector<Endpoint*> ends;
  for (std::size_t id = 0; id < kernel_.endpoints(); ++id) {
    Endpoint& endpoint = kernel_.endpoint(static_cast<std::uint32_t>(id));
    if (endpoint.state == EndpointState::listening) listeners.push_back(&endpoint);
    if (endpoint.outside && endpoint.state == EndpointState::connected) ends.push_back(&endpoint);
  }
  if (what < 4 && !listeners.empty()) {
    Endpoint& listener = *listeners[choices_->below(static_cast<std::uint32_t>(listeners.size()))];
    const Endpoint* client = kernel_.connect_from_outside(listener);
    if (client != nullptr) {
      report_->trace("outside " + std::to_string(client->id) + " connects");
    }
    return;
  }
  if (ends.empty()) return;
  Endpoint& end = *ends[choices_->below(static_cast<std::uint32_t>(ends.size()))];
  const std::string name = "outside " + std::to_string(end.id);
  switch (what) {
    case 4:
    case 5:
    case 6: {
      const std::size_t sent = kernel_.send_from_outside(end, choices_->between(1, 2000));
      return report_->trace(name + " sends " + std::to_string(sent));
    }
    case 7:
      kernel_.end_from_outside(end);
      return report_->trace(name + " ends");
    case 8:
      report_->trace(name + " closes");
      return kernel_.close_outside(end, choices_->below(2) == 0);
    default: {
      const std::size_t read = kernel_.receive_outside(end, choices_->between(1, 5000));
      return report_->trace(name + " reads " + std::to_string(read));
    }
  }
}

// --- moments

void World::pass_moment(Holder* holder) {
  if (++moment_ == plan_.moment) interrupt(holder);
}

void World::interrupt(Holder* holder) {
  if (holder == nullptr || !holder->is_open()) holder = consumer_->any_open_connection();
  report_->trace("interruption " + std::to_string(plan_.interruption));
  switch (static_cast<Interruption>(plan_.interruption)) {
    case Interruption::destroy:
    case Interruption::reset:
      if (holder == nullptr) return;
      return consumer_->close(*holder,
                              static_cast<Interruption>(plan_.interruption) == Interruption::reset);
    case Interruption::release:
      if (holder != nullptr) consumer_->release(*holder);
      return;
    case Interruption::close_listeners:
      for (const auto& each : consumer_->holders()) {
        if (each->is_open() && each->listening) consumer_->close(*each, false);
      }
      return;
    case Interruption::exit:
      return exit();
  }
}

// --- the end

void World::exit() {
  report_->trace("exit");
  exited_ = true;
  consumer_->stop();
  core_->shut_down();
}

void World::end(bool gracefully) {
  if (gracefully) {
    consumer_->close_everything();
    for (int turns = 0; turns < kMostTurns && core_->layer().live() > 0 && !exited_; ++turns) {
      turn();
    }
  }
  if (exited_) return;
  if (gracefully) {
    // The farewells of the last ones.
    turn_until_quiet();
    if (exited_) return;
    expect(core_->layer().live() == 0, "what is closed is freed");
    for (const auto& holder : consumer_->holders()) {
      report_->expect(holder->closed_events == 1, "a socket has one last event",
                      holder->describe());
    }
  }
  exit();
}

}  // namespace soref::faults
