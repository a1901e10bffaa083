#include "eventstore/durable_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace cpm::eventstore {
namespace {

// The files hold some hundred bytes; more is not ours.
constexpr std::size_t kMaxFileBytes = 64 * 1024;

struct Descriptor {
    int value = -1;
    explicit Descriptor(int fd)
        : value(fd) {}
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    ~Descriptor() {
        if (value >= 0)
            ::close(value);
    }
};

tl::unexpected<core::Error> failed(std::string_view what, std::filesystem::path const& path) {
    std::string const reason = std::strerror(errno);
    return core::fail(
        core::ErrorCode::Storage,
        "cannot " + std::string(what) + " " + path.string() + ": " + reason
    );
}

core::Result<void> sync_directory(std::filesystem::path const& directory) {
    Descriptor const fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.value < 0 || ::fsync(fd.value) != 0)
        return failed("sync the directory", directory);
    return {};
}

bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        auto const written = ::write(fd, content.data(), content.size());
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return false;
        }
        content.remove_prefix(std::size_t(written));
    }
    return true;
}

} // namespace

core::Result<std::optional<std::string>> read_file(std::filesystem::path const& path) {
    Descriptor const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.value < 0) {
        if (errno == ENOENT)
            return std::nullopt;
        return failed("read", path);
    }
    std::string content(kMaxFileBytes, '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        auto const got = ::read(fd.value, content.data() + size, content.size() - size);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed("read", path);
        size += std::size_t(got);
    }
    content.resize(size);
    return content;
}

core::Result<void> write_file_durably(std::filesystem::path const& path, std::string_view content) {
    auto temporary = path;
    temporary += ".new";
    {
        Descriptor const fd(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)
        );
        if (fd.value < 0)
            return failed("create", temporary);
        if (!write_all(fd.value, content))
            return failed("write", temporary);
        if (::fsync(fd.value) != 0)
            return failed("sync", temporary);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0)
        return failed("replace", path);
    return sync_directory(path.parent_path());
}

core::Result<void> remove_file_durably(std::filesystem::path const& path) {
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT)
            return {};
        return failed("remove", path);
    }
    return sync_directory(path.parent_path());
}

} // namespace cpm::eventstore
