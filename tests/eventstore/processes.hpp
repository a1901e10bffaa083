#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

/// A process of its own: this program again, running one case that is otherwise skipped, which
/// finds `directory` in the variable CPM_TEST_DIRECTORY.
pid_t start(
    char const* test_case, std::filesystem::path const& directory, std::string const& fault = ""
);

/// Its exit status, or minus the signal that ended it.
int wait_for(pid_t child);
