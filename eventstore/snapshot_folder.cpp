#include "eventstore/snapshot_folder.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace cpm::eventstore {
namespace {

namespace fs = std::filesystem;

tl::unexpected<core::Error> storage(std::string what) {
    return core::fail(core::ErrorCode::Storage, std::move(what) + ": " + std::strerror(errno));
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        auto const written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes.remove_prefix(std::size_t(written));
    }
    return true;
}

} // namespace

std::vector<std::string> DiskFolder::names() const {
    std::vector<std::string> found;
    std::error_code error;
    for (fs::directory_iterator file(path_, error); !error && file != end(file);
         file.increment(error))
        found.push_back(file->path().filename().string());
    return found;
}

core::Result<std::string> DiskFolder::read(std::string const& name) const {
    std::ifstream file(path_ / name, std::ios::binary);
    if (!file)
        return storage("cannot be opened");
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    if (file.bad())
        return storage("cannot be read");
    return bytes;
}

core::Result<void> DiskFolder::write(std::string const& name, std::string_view bytes) {
    std::error_code error;
    if (fs::create_directories(path_, error))
        fs::permissions(path_, fs::perms::owner_all, error);
    auto const draft = path_ / "new";
    auto const path = path_ / name;
    int const fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write_all(fd, bytes);
    if (fd >= 0)
        written = ::close(fd) == 0 && written;
    if (written && ::rename(draft.c_str(), path.c_str()) == 0)
        return {};
    auto const failed = storage("cannot write the snapshot " + path.string());
    ::unlink(draft.c_str());
    return failed;
}

void DiskFolder::remove(std::string const& name) {
    std::error_code ignored;
    fs::remove(path_ / name, ignored);
}

void DiskFolder::remove_all() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

} // namespace cpm::eventstore
