#pragma once

#include "agent/identity.hpp"

namespace cpm::agent {

/// Reads both clocks as one: between the two looks passes less than 10 ms, so that being paused
/// there is not taken for a resume.
Clocks read_clocks();

/// Seconds since 1970, as far as this machine knows.
seconds read_wall_clock();

} // namespace cpm::agent
