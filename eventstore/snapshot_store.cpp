#include "eventstore/snapshot_store.hpp"

#include "eventstore/hash.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <string_view>

namespace cpm::eventstore {
namespace {

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

std::string name_of(core::Sequence sequence) {
    auto const digits = std::to_string(sequence.value);
    return std::string(kDigits - digits.size(), '0') + digits;
}

} // namespace

SnapshotStore::SnapshotStore(std::filesystem::path const& data_directory)
    : SnapshotStore(std::make_shared<DiskFolder>(data_directory / "snapshots")) {}

SnapshotStore::SnapshotStore(std::shared_ptr<SnapshotFolder> folder)
    : folder_(std::move(folder)) {}

std::vector<core::Sequence> SnapshotStore::list() const {
    std::vector<core::Sequence> found;
    for (auto const& name : folder_->names()) {
        core::Sequence sequence;
        auto const [rest, fault] =
            std::from_chars(name.data(), name.data() + name.size(), sequence.value);
        if (fault == std::errc{} && name_of(sequence) == name)
            found.push_back(sequence);
    }
    std::ranges::sort(found, std::greater{});
    return found;
}

core::Result<Snapshot> SnapshotStore::read(core::Sequence sequence) const {
    auto file = folder_->read(name_of(sequence));
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
    auto const name = name_of(snapshot.head.sequence);
    if (auto written = folder_->write(name, file_of(snapshot)); !written)
        return written;
    std::size_t kept = 0;
    for (auto const other : list())
        if (other > snapshot.head.sequence || ++kept > kKept)
            remove(other);
    return {};
}

void SnapshotStore::remove(core::Sequence sequence) const {
    folder_->remove(name_of(sequence));
}

void SnapshotStore::remove_all() const {
    folder_->remove_all();
}

} // namespace cpm::eventstore
