#pragma once

#include <cstdio>
#include <cstdlib>

/// A programmer's error: what can only be false when CPM itself is wrong. Kept on in release,
/// because a manager that goes on with a broken belief could switch a server off.
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) [[unlikely]] {                                                           \
            std::fprintf(stderr, "%s:%d: ASSERT(%s) failed\n", __FILE__, __LINE__, #condition);    \
            std::abort();                                                                          \
        }                                                                                          \
    } while (false)
