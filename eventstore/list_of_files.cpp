#include "eventstore/list_of_files.hpp"

#include "core/hex.hpp"
#include "eventstore/durable_file.hpp"
#include "eventstore/hash.hpp"

#include <rocksdb/db.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace cpm::eventstore {
namespace {

constexpr std::string_view kPrefix = "MANIFEST-";

// The first `size` bytes of the list, or all that it has. None when it cannot be read.
std::optional<std::vector<std::uint8_t>>
beginning(std::filesystem::path const& list, std::size_t size) {
    std::ifstream file(list, std::ios::binary);
    std::error_code error;
    auto const there = std::filesystem::file_size(list, error);
    if (!file || error)
        return std::nullopt;
    std::vector<std::uint8_t> bytes(std::min<std::size_t>(size, there));
    file.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(bytes.size()));
    return file ? std::optional(std::move(bytes)) : std::nullopt;
}

/// What CURRENT names; none when there is no CURRENT, or it names no list.
std::optional<std::string> current_list(SideFiles const& files) {
    auto const current = read_file(files.log / "CURRENT");
    if (!current || !*current || !(*current)->starts_with(kPrefix))
        return std::nullopt;
    return (*current)->substr(0, (*current)->find('\n'));
}

std::uint64_t number_of(std::string const& list) {
    std::uint64_t number = 0;
    auto const* const end = list.data() + list.size();
    auto const read = std::from_chars(list.data() + kPrefix.size(), end, number);
    // A name without a number counts as the oldest.
    return read.ec == std::errc() && read.ptr == end ? number : 0;
}

} // namespace

std::optional<std::string> missing_list(SideFiles const& files) {
    auto const list = current_list(files);
    std::error_code error;
    if (!list || std::filesystem::exists(files.log / *list, error) || error)
        return std::nullopt;
    // RocksDB deletes a list only behind the CURRENT that names the next.
    return current_list(files) == list ? list : std::nullopt;
}

core::Result<std::string> why_not_the_list_noted(SideFiles const& files) {
    if (auto const list = missing_list(files))
        return "its list of files, " + *list + ", is missing";
    auto const now = current_list(files);
    auto const note = read_file(files.list);
    if (!note)
        return tl::make_unexpected(note.error());
    if (!*note)
        return std::string();
    std::istringstream words(**note);
    std::string list;
    std::string hex;
    std::size_t size = 0;
    words >> list >> size >> hex;
    auto const hash = core::parse_hash(hex);
    if (!words || !list.starts_with(kPrefix) || !hash || !(*note)->ends_with(hex + "\n"))
        return core::fail(
            core::ErrorCode::Corrupt,
            files.list.string() + " is damaged; restore the data directory from a backup"
        );

    // A newer list was written by RocksDB itself, from this one.
    if (!now || number_of(*now) > number_of(list))
        return std::string();
    if (*now != list)
        return "its list of files is " + *now + ", but had been " + list;
    auto const bytes = beginning(files.log / list, size);
    if (!bytes)
        return std::string();
    if (bytes->size() < size)
        return "its list of files, " + list + ", has " + std::to_string(bytes->size()) +
               " bytes, but had " + std::to_string(size);
    if (sha256(*bytes) != *hash)
        return "its list of files, " + list + ", is not the one that was written";
    return std::string();
}

core::Result<void> note_list(SideFiles const& files, Database const& database, std::string& noted) {
    std::vector<std::string> live;
    std::uint64_t size = 0;
    auto const status = database.db().GetLiveFiles(live, &size, false);
    if (!status.ok())
        return storage_error("cannot list the files of the log", status);
    auto const found = std::ranges::find_if(live, [](std::string const& name) {
        return name.find(kPrefix) != name.npos;
    });
    if (found == live.end())
        return {};
    auto const list = found->substr(found->find(kPrefix));
    auto what = list + ' ' + std::to_string(size);
    if (what == noted)
        return {};
    auto const bytes = beginning(files.log / list, size);
    // Meanwhile RocksDB may have begun another, which the next note names.
    if (!bytes || bytes->size() < size)
        return {};
    auto const hash = core::to_hex(sha256(*bytes));
    if (auto written = write_file_durably(files.list, what + ' ' + hash + '\n'); !written)
        return written;
    noted = std::move(what);
    return {};
}

} // namespace cpm::eventstore
