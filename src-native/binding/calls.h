// The calls whose results JavaScript needs at once: names, options, bind, listen, connect, detach,
// pinned writes, reports. Everything frequent travels as a command or an event instead.
#pragma once

#include <napi.h>

namespace soref::binding {

class Environment;

// Puts every call onto `target`, bound to that environment.
void define_calls(Napi::Env env, Napi::Object target, Environment& environment);
// The reports of reports.cpp: ledger, sockstat and inspect.
void define_reports(Napi::Env env, Napi::Object target, Environment& environment);

}  // namespace soref::binding
