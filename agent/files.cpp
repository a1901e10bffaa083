#include "agent/files.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cpm::agent {
namespace {

constexpr std::size_t kLargest = 64 * 1024;

class Descriptor {
  public:
    explicit Descriptor(int fd)
        : fd_(fd) {}
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    ~Descriptor() {
        if (fd_ >= 0)
            ::close(fd_);
    }
    int get() const { return fd_; }

  private:
    int fd_;
};

tl::unexpected<std::string> failed(std::filesystem::path const& file, std::string_view what) {
    return tl::make_unexpected(fmt::format("{}: {}", file.string(), what));
}

tl::unexpected<std::string> failed(std::filesystem::path const& file) {
    return failed(file, std::strerror(errno));
}

constexpr std::string_view kNotRootAlone =
    "must belong to root and be writable by root alone (chown root, chmod go-w)";

bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        auto const written = ::write(fd, content.data(), content.size());
        if (written <= 0)
            return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// The whole content of what was opened; the error names `file`.
tl::expected<std::string, std::string> read_all(int fd, std::filesystem::path const& file) {
    std::string content;
    char part[4096];
    while (true) {
        auto const size = ::read(fd, part, sizeof part);
        if (size < 0)
            return failed(file);
        if (size == 0)
            return content;
        content.append(part, static_cast<std::size_t>(size));
        if (content.size() > kLargest)
            return failed(file, "is larger than 64 KiB");
    }
}

int open_to_read(std::filesystem::path const& file) {
    return ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/// A new file in the folder, which nobody else can have put there or linked to something else.
int create(int folder, std::string const& name) {
    constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    // Left by a writer that was killed, or planted.
    if (::unlinkat(folder, name.c_str(), 0) != 0 && errno != ENOENT)
        return -1;
    return ::openat(folder, name.c_str(), kNew, 0600);
}

bool is_for_root_alone(struct stat const& status) {
    // In a user namespace root's own system belongs to whoever owns its root folder.
    struct stat system {};
    bool const is_roots =
        status.st_uid == 0 || (::stat("/", &system) == 0 && status.st_uid == system.st_uid);
    return is_roots && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

} // namespace

tl::expected<std::string, std::string> read_file(std::filesystem::path const& file) {
    Descriptor const fd(open_to_read(file));
    if (fd.get() < 0)
        return failed(file);
    return read_all(fd.get(), file);
}

tl::expected<std::string, std::string> read_root_file(std::filesystem::path const& file) {
    Descriptor const fd(open_to_read(file));
    struct stat status {};
    if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0)
        return failed(file);
    if (!is_for_root_alone(status))
        return failed(file, kNotRootAlone);
    return read_all(fd.get(), file);
}

tl::expected<void, std::string> check_root_owns(std::filesystem::path const& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return failed(path);
    if (!is_for_root_alone(status))
        return failed(path, kNotRootAlone);
    return {};
}

tl::expected<void, std::string>
write_file(std::filesystem::path const& file, std::string_view content, Durability durability) {
    auto const path = file.parent_path();
    auto const name = file.filename().string();
    auto const draft = name + ".new";
    Descriptor const folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0)
        return failed(path);
    Descriptor const fd(create(folder.get(), draft));
    if (fd.get() < 0)
        return failed(path / draft);
    struct stat owner {};
    if (::geteuid() == 0 &&
        (::fstat(folder.get(), &owner) != 0 || ::fchown(fd.get(), owner.st_uid, owner.st_gid) != 0))
        return failed(path / draft);
    if (!write_all(fd.get(), content))
        return failed(path / draft);
    if (durability == Durability::Durable && ::fsync(fd.get()) != 0)
        return failed(path / draft);
    if (::renameat(folder.get(), draft.c_str(), folder.get(), name.c_str()) != 0)
        return failed(file);
    if (durability == Durability::Durable && ::fsync(folder.get()) != 0)
        return failed(path);
    return {};
}

} // namespace cpm::agent
