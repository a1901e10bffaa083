#include "eventstore/snapshot_store.hpp"

#include "eventstore/hash.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <string_view>
#include <unistd.h>

namespace cpm::eventstore {
namespace {

namespace fs = std::filesystem;

// A file: kMagic, the SHA-256 of all that follows, and then the rest of the header and the content.
constexpr std::string_view kMagic = "CPMsnap1";

struct Rest {
    core::Hash fold{};
    std::uint64_t epoch = 0;
    std::uint64_t sequence = 0;
    core::Hash hash{};
};
static_assert(sizeof(Rest) == 80 && std::endian::native == std::endian::little);

constexpr std::size_t kHashed = kMagic.size() + sizeof(core::Hash);
constexpr std::size_t kHeader = kHashed + sizeof(Rest);
constexpr std::size_t kDigits = 20; // so that names have the order of numbers

std::span<std::uint8_t const> hashed(std::string_view file) {
    auto const rest = file.substr(kHashed);
    return {reinterpret_cast<std::uint8_t const*>(rest.data()), rest.size()};
}

std::string file_of(Snapshot const& snapshot) {
    Rest const rest{
        snapshot.fold, snapshot.head.epoch, snapshot.head.sequence.value, snapshot.head.hash};
    std::string file(kHeader, '\0');
    file.reserve(kHeader + snapshot.content.size());
    std::memcpy(file.data(), kMagic.data(), kMagic.size());
    std::memcpy(file.data() + kHashed, &rest, sizeof rest);
    file += snapshot.content;
    auto const hash = sha256(hashed(file));
    std::memcpy(file.data() + kMagic.size(), hash.data(), hash.size());
    return file;
}

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

core::Result<std::string> read_all(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return storage("cannot be opened");
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    if (file.bad())
        return storage("cannot be read");
    return bytes;
}

} // namespace

SnapshotStore::SnapshotStore(fs::path const& data_directory)
    : directory_(data_directory / "snapshots") {}

fs::path SnapshotStore::path_of(core::Sequence sequence) const {
    auto const digits = std::to_string(sequence.value);
    return directory_ / (std::string(kDigits - digits.size(), '0') + digits);
}

std::vector<core::Sequence> SnapshotStore::list() const {
    std::vector<core::Sequence> found;
    std::error_code error;
    for (fs::directory_iterator file(directory_, error); !error && file != end(file);
         file.increment(error)) {
        auto const name = file->path().filename().string();
        core::Sequence sequence;
        auto const [rest, fault] =
            std::from_chars(name.data(), name.data() + name.size(), sequence.value);
        if (fault == std::errc{} && path_of(sequence).filename() == name)
            found.push_back(sequence);
    }
    std::ranges::sort(found, std::greater{});
    return found;
}

core::Result<Snapshot> SnapshotStore::read(core::Sequence sequence) const {
    auto file = read_all(path_of(sequence));
    if (!file)
        return tl::make_unexpected(file.error());
    auto const damaged = [](char const* why) { return core::fail(core::ErrorCode::Corrupt, why); };
    if (file->size() < kHeader)
        return damaged("is cut off");
    if (!file->starts_with(kMagic))
        return damaged("is no snapshot, or of another version of CPM");
    core::Hash hash{};
    std::memcpy(hash.data(), file->data() + kMagic.size(), hash.size());
    if (hash != sha256(hashed(*file)))
        return damaged("is damaged: it has another hash than was written");
    Rest rest;
    std::memcpy(&rest, file->data() + kHashed, sizeof rest);
    if (rest.sequence != sequence.value)
        return damaged("is one of another event");
    file->erase(0, kHeader);
    return Snapshot{{rest.epoch, sequence, rest.hash}, rest.fold, std::move(*file)};
}

core::Result<void> SnapshotStore::write(Snapshot const& snapshot) const {
    std::error_code error;
    if (fs::create_directories(directory_, error))
        fs::permissions(directory_, fs::perms::owner_all, error);
    auto const draft = directory_ / "new";
    auto const path = path_of(snapshot.head.sequence);
    int const fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write_all(fd, file_of(snapshot));
    if (fd >= 0)
        written = ::close(fd) == 0 && written;
    if (!written || ::rename(draft.c_str(), path.c_str()) != 0) {
        auto const failed = storage("cannot write the snapshot " + path.string());
        ::unlink(draft.c_str());
        return failed;
    }
    std::size_t kept = 0;
    for (auto const other : list())
        if (other > snapshot.head.sequence || ++kept > kKept)
            remove(other);
    return {};
}

void SnapshotStore::remove(core::Sequence sequence) const {
    std::error_code ignored; // as below
    fs::remove(path_of(sequence), ignored);
}

void SnapshotStore::remove_all() const {
    std::error_code ignored; // whatever stays is looked at again by whoever reads it
    fs::remove_all(directory_, ignored);
}

} // namespace cpm::eventstore
