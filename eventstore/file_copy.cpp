#include "eventstore/file_copy.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace cpm::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAtOnce = 1024 * 1024;

class Descriptor {
  public:
    explicit Descriptor(int value)
        : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0)
            ::close(value_);
    }
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    int value() const { return value_; }

  private:
    int value_;
};

tl::unexpected<core::Error> failed(std::string_view what, fs::path const& path) {
    auto const code = errno == ENOENT ? core::ErrorCode::NotFound : core::ErrorCode::Storage;
    std::string const reason = std::strerror(errno);
    return core::fail(code, "cannot " + std::string(what) + " " + path.string() + ": " + reason);
}

tl::unexpected<core::Error> failed(fs::path const& path, std::error_code const& error) {
    return core::fail(
        core::ErrorCode::Storage, "cannot copy " + path.string() + ": " + error.message()
    );
}

bool write_all(int fd, char const* bytes, std::size_t size) {
    while (size > 0) {
        auto const written = ::write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        size -= std::size_t(written);
    }
    return true;
}

} // namespace

core::Result<void> copy_file_durably(fs::path const& from, fs::path const& to) {
    Descriptor const source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (source.value() < 0 || ::fstat(source.value(), &info) != 0)
        return failed("read", from);
    Descriptor const target(
        ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, info.st_mode & 0777)
    );
    if (target.value() < 0)
        return failed("create", to);
    std::vector<char> buffer(kAtOnce);
    for (;;) {
        auto const size = ::read(source.value(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return failed("read", from);
        if (size == 0)
            break;
        if (!write_all(target.value(), buffer.data(), std::size_t(size)))
            return failed("write", to);
    }
    if (::fsync(target.value()) != 0)
        return failed("sync", to);
    return {};
}

core::Result<void> copy_directory_durably(fs::path const& from, fs::path const& to) {
    std::error_code error;
    fs::create_directory(to, error);
    if (!error)
        fs::permissions(to, fs::status(from, error).permissions(), error);
    fs::directory_iterator const entries(from, error);
    if (error)
        return failed(from, error);
    for (auto const& entry : entries)
        if (entry.is_regular_file(error))
            if (auto copied = copy_file_durably(entry.path(), to / entry.path().filename());
                !copied)
                return copied;
    return sync_directory(to);
}

core::Result<void> sync_directory(fs::path const& directory) {
    Descriptor const fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.value() < 0 || ::fsync(fd.value()) != 0)
        return failed("sync the directory", directory);
    return {};
}

} // namespace cpm::eventstore
