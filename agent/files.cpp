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

bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        auto const written = ::write(fd, content.data(), content.size());
        if (written <= 0)
            return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

} // namespace

tl::expected<std::string, std::string> read_file(std::filesystem::path const& file) {
    Descriptor const fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd.get() < 0)
        return failed(file);
    std::string content;
    char part[4096];
    while (true) {
        auto const size = ::read(fd.get(), part, sizeof part);
        if (size < 0)
            return failed(file);
        if (size == 0)
            return content;
        content.append(part, static_cast<std::size_t>(size));
        if (content.size() > kLargest)
            return failed(file, "is larger than 64 KiB");
    }
}

tl::expected<void, std::string>
write_file(std::filesystem::path const& file, std::string_view content, Durability durability) {
    auto const draft = std::filesystem::path(file).concat(".new");
    auto const folder = file.parent_path();
    Descriptor const fd(
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)
    );
    if (fd.get() < 0)
        return failed(draft);
    struct stat owner {};
    if (::geteuid() == 0 && (::stat(folder.c_str(), &owner) != 0 ||
                             ::fchown(fd.get(), owner.st_uid, owner.st_gid) != 0))
        return failed(draft);
    if (!write_all(fd.get(), content))
        return failed(draft);
    if (durability == Durability::Durable && ::fsync(fd.get()) != 0)
        return failed(draft);
    if (::rename(draft.c_str(), file.c_str()) != 0)
        return failed(file);
    if (durability == Durability::Volatile)
        return {};
    Descriptor const directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0 || ::fsync(directory.get()) != 0)
        return failed(folder);
    return {};
}

} // namespace cpm::agent
