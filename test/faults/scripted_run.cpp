// Sets a world up from a plan.
#include "scripted_run.h"

#include "world.h"

namespace soref::faults {

namespace {

FaultPlan faults_of(const RunPlan& plan, Choices& choices) {
  if (plan.call != 0) return {plan.call, plan.error};
  return plan.rate != 0 ? FaultPlan(choices, plan.rate) : FaultPlan();
}

}  // namespace

Outcome run_script(const RunPlan& plan) {
  RunReport report(plan, plan_to_replay(plan.test).has_value());
  SeededChoices choices(plan.seed);
  FaultPlan faults = faults_of(plan, choices);
  Outcome outcome;
  {
    World::Settings settings = World::varied(choices);
    settings.engine = static_cast<EngineKind>(plan.engine);
    // A short read tells that there is no more (epoll(7), "Questions and answers").
    if (settings.engine == EngineKind::epoll) settings.limits.short_receives = 0;
    World world(plan, settings, choices, choices, faults, report);
    world.run_script(choices.between(10, 100));
    outcome.moments = world.moments();
  }
  outcome.calls = faults.points();
  outcome.findings = report.findings();
  return outcome;
}

}  // namespace soref::faults
