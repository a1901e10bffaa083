#include "eventstore/fault_point.hpp"

#ifdef CPM_FAULT_POINTS

#include "core/assert.hpp"

#include <atomic>
#include <charconv>
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
        auto const colon = fault.find(':');
        name = fault.substr(0, colon);
        long number = 0;
        auto const* const end = fault.data() + fault.size();
        auto const* const digits = colon == fault.npos ? end : fault.data() + colon + 1;
        auto const [rest, error] = std::from_chars(digits, end, number);
        // A test whose fault is misspelt would pass without it.
        ASSERT(fault.empty() || (error == std::errc() && rest == end && number > 0));
        passages_left = number;
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
