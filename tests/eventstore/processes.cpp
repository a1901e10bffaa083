#include "tests/eventstore/processes.hpp"

#include <cerrno>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

pid_t start(
    char const* test_case, std::filesystem::path const& directory, std::string const& fault
) {
    auto const child = ::fork();
    if (child != 0)
        return child;
    ::setenv("CPM_TEST_DIRECTORY", directory.c_str(), 1);
    ::setenv("CPM_FAULT", fault.c_str(), 1);
    std::string const filter = std::string("--test-case=") + test_case;
    ::execl("/proc/self/exe", "test", filter.c_str(), "--no-skip", "--minimal", nullptr);
    ::_exit(127);
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
