#include "eventstore/fault_point.hpp"

#ifdef CPM_FAULT_POINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace cpm::eventstore {
namespace {

struct Fault {
    std::string name;
    std::atomic<long> passages_left{0};

    Fault() { arm(std::getenv("CPM_FAULT")); }

    void arm(char const* text) {
        std::string_view const fault(text ? text : "");
        name = fault.substr(0, fault.find(':'));
        passages_left = name.size() < fault.size() ? std::atol(text + name.size() + 1) : 1;
    }
};

Fault& the_fault() {
    static Fault fault;
    return fault;
}

} // namespace

bool fault_is_due(char const* name) {
    Fault& fault = the_fault();
    return fault.name == name && --fault.passages_left == 0;
}

void arm_fault(char const* fault) {
    the_fault().arm(fault);
}

void die_if_due(char const* name) {
    if (fault_is_due(name))
        std::raise(SIGKILL);
}

} // namespace cpm::eventstore

#endif
