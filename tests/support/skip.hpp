#pragma once

#include <string_view>

namespace test_support {

/// Says that the running test case needs something this machine lacks, and prints what. The case
/// goes on, so return from it. A suite in which no check failed but a case was skipped exits with
/// 77, which ctest reports as skipped.
void skip(std::string_view reason);

} // namespace test_support
