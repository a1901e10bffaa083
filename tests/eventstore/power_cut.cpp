#include "tests/eventstore/power_cut.hpp"

#include "tests/eventstore/syncs.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <set>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace fs = std::filesystem;

namespace {

fs::path opened_path(int fd) {
    return fs::path("/proc/self/fd") / std::to_string(fd);
}

// RocksDB's own messages are never synced.
bool matters(std::string const& name) {
    return !name.starts_with("LOG") && name != "LOCK";
}

} // namespace

PowerCut::PowerCut(fs::path root, std::uint64_t seed)
    : root_(std::move(root))
    , random_(seed) {
    learn(root_);
    sync_by([this](int fd) { sync(fd); });
}

PowerCut::~PowerCut() {
    sync_by({});
    for (auto const& [inode, file] : files_)
        ::close(file.fd);
}

void PowerCut::at(std::uint64_t moment, Rest rest, fs::path image, std::function<void()> before) {
    cut_at_ = moment;
    rest_ = rest;
    image_ = std::move(image);
    before_ = std::move(before);
}

void PowerCut::now() {
    std::lock_guard const lock(mutex_);
    if (!has_happened_)
        happen();
}

void PowerCut::sync(int fd) {
    std::error_code error;
    auto const path = fs::read_symlink(opened_path(fd), error);
    bool const is_ours = !error && path.native().starts_with(root_.native());
    if (!is_ours)
        return;
    std::lock_guard const lock(mutex_);
    struct stat info {};
    if (::fstat(fd, &info) != 0)
        throw std::runtime_error("fstat");
    pass_moment();
    if (S_ISDIR(info.st_mode))
        directories_[path] = names_of(path);
    else
        hold(opened_path(fd), info.st_ino).synced = std::uint64_t(info.st_size);
    pass_moment();
}

void PowerCut::pass_moment() {
    if (moment_++ == cut_at_)
        happen();
}

void PowerCut::happen() {
    has_happened_ = true;
    keeps_names_ = rest_ == Rest::Torn && below(2);
    before_();
    leave(root_, image_);
}

// What is there at the beginning.
void PowerCut::learn(fs::path const& directory) {
    auto const names = names_of(directory);
    for (auto const& [name, inode] : names) {
        if (inode == 0)
            learn(directory / name);
        else
            files_[inode].synced = fs::file_size(directory / name);
    }
    directories_[directory] = names;
}

PowerCut::Names PowerCut::names_of(fs::path const& directory) {
    Names names;
    for (auto const& entry : fs::directory_iterator(directory)) {
        struct stat info {};
        // RocksDB's threads may delete it meanwhile.
        if (::lstat(entry.path().c_str(), &info) != 0)
            continue;
        bool const is_file = S_ISREG(info.st_mode);
        names[entry.path().filename()] = is_file ? info.st_ino : 0;
        if (is_file)
            hold(entry.path(), info.st_ino);
    }
    return names;
}

PowerCut::File& PowerCut::hold(fs::path const& path, Inode inode) {
    auto& file = files_[inode];
    if (file.fd < 0)
        file.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    return file;
}

void PowerCut::leave(fs::path const& directory, fs::path const& image) {
    fs::create_directories(image);
    auto const synced = directories_[directory];
    auto const present = fs::exists(directory) ? names_of(directory) : Names();
    std::set<std::string> names;
    for (auto const& side : {synced, present})
        for (auto const& [name, inode] : side)
            names.insert(name);
    for (auto const& name : names) {
        auto const old = synced.find(name);
        auto const now = present.find(name);
        bool const differs = old == synced.end() || now == present.end() || *old != *now;
        if (differs && !keeps_names_ && matters(name))
            ++lost_.names;
        auto const& side = keeps_names_ ? present : synced;
        auto const found = side.find(name);
        if (found == side.end())
            continue;
        if (found->second == 0)
            leave(directory / name, image / name);
        else
            leave_file(files_[found->second], image / name);
    }
}

void PowerCut::leave_file(File const& file, fs::path const& image) {
    struct stat info {};
    if (file.fd < 0 || ::fstat(file.fd, &info) != 0)
        return; // deleted before it could be held: nobody synced its directory since
    auto const size = std::uint64_t(info.st_size);
    auto kept = std::min(file.synced, size);
    if (rest_ == Rest::Torn)
        kept += below(size - kept + 1);
    if (matters(image.filename()))
        lost_.bytes += size - kept;
    std::string bytes(kept, '\0');
    if (::pread(file.fd, bytes.data(), kept, 0) != ssize_t(kept))
        throw std::runtime_error("pread");
    std::ofstream(image, std::ios::binary) << bytes;
}
