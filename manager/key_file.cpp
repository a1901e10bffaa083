#include "manager/key_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace cpm::manager {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 64 * 1024;

bool sync_folder(fs::path const& folder) {
    int const fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool const synced = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0)
        ::close(fd);
    return synced;
}

} // namespace

core::Error broken_key_file(fs::path const& file, std::string_view what) {
    return {
        core::ErrorCode::Storage,
        fmt::format(
            "{}: {}; restore it from the backup of this data directory", file.string(), what
        )};
}

core::Result<std::string> read_key_file(fs::path const& file) {
    int const fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tl::make_unexpected(broken_key_file(file, std::strerror(errno)));
    std::string bytes(kMaxFile + 1, '\0');
    auto const size = ::read(fd, bytes.data(), bytes.size());
    int const error = errno;
    ::close(fd);
    if (size < 0)
        return tl::make_unexpected(broken_key_file(file, std::strerror(error)));
    bytes.resize(static_cast<std::size_t>(size));
    if (bytes.size() > kMaxFile)
        return tl::make_unexpected(broken_key_file(file, "is no key: it is larger than 64 KiB"));
    return bytes;
}

core::Result<void> write_key_file(fs::path const& file, std::string_view bytes) {
    auto const draft = fs::path(file).concat(".new");
    ::unlink(draft.c_str()); // what a power cut left has a mode of its own
    int const fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fine = fd >= 0 &&
                ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
                ::fsync(fd) == 0;
    if (fd >= 0)
        ::close(fd);
    // The folder itself may be new, too.
    auto const folder = file.parent_path();
    fine = fine && ::rename(draft.c_str(), file.c_str()) == 0 && sync_folder(folder) &&
           sync_folder(folder.parent_path());
    if (!fine)
        return core::fail(
            core::ErrorCode::Storage,
            fmt::format("{}: cannot be written: {}", file.string(), std::strerror(errno))
        );
    return {};
}

} // namespace cpm::manager
