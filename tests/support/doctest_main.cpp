#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/support/skip.hpp"

#include <doctest/doctest.h>

#include <iostream>

namespace {

constexpr int kSkipped = 77;

bool any_skipped = false;

} // namespace

namespace test_support {

void skip(std::string_view reason) {
    any_skipped = true;
    std::cout << "SKIP: " << reason << '\n';
}

} // namespace test_support

int main(int argc, char** argv) {
    doctest::Context context{argc, argv};
    int const result = context.run();
    return result == 0 && any_skipped ? kSkipped : result;
}
