#include "eventstore/backup.hpp"

#include "eventstore/durable_file.hpp"
#include "eventstore/file_copy.hpp"
#include "eventstore/side_files.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace cpm::eventstore {
namespace {

namespace fs = std::filesystem;

/// A list of files that changes this often is that of a disk at its limit.
constexpr int kTries = 20;

tl::unexpected<core::Error> failed(fs::path const& path, std::error_code const& error) {
    return core::fail(
        core::ErrorCode::Storage, "cannot copy " + path.string() + ": " + error.message()
    );
}

/// What RocksDB's CURRENT names: its list of files, which is only appended to.
struct FileList {
    std::string name;
    std::uintmax_t size = 0;
    bool operator==(FileList const&) const = default;
};

core::Result<FileList> file_list_of(fs::path const& database) {
    FileList list;
    std::ifstream current(database / "CURRENT");
    std::error_code error;
    if (std::getline(current, list.name))
        list.size = fs::file_size(database / list.name, error);
    auto const data = database.parent_path().string();
    if (list.name.empty())
        return core::fail(core::ErrorCode::NotFound, "there is no log in " + data);
    if (error)
        return core::fail(
            core::ErrorCode::Corrupt,
            "the log in " + data + " has lost its list of files, " + list.name
        );
    return list;
}

enum class Part { None, Table, Appended };

/// LOCK and RocksDB's own messages are no part of a log.
Part part_of(fs::path const& file) {
    auto const name = file.filename().string();
    if (file.extension() == ".sst" || name == "IDENTITY" || name.starts_with("OPTIONS-"))
        return Part::Table;
    return file.extension() == ".log" ? Part::Appended : Part::None;
}

bool has_same_size(fs::path const& one, fs::path const& other) {
    std::error_code error;
    auto const size = fs::file_size(one, error);
    auto const other_size = error ? 0 : fs::file_size(other, error);
    return !error && size == other_size;
}

/// What RocksDB deletes while it is copied is named by a newer list of files.
core::Result<void> copy_if_there(fs::path const& from, fs::path const& to) {
    auto copied = copy_file_durably(from, to);
    if (!copied && copied.error().code == core::ErrorCode::NotFound)
        return {};
    return copied;
}

core::Result<void> copy_parts(fs::path const& from, fs::path const& to) {
    std::error_code error;
    std::vector<fs::path> logs;
    for (fs::directory_iterator entry(from, error), end; !error && entry != end;
         entry.increment(error)) {
        auto const copy = to / entry->path().filename();
        auto const part = part_of(entry->path());
        if (part == Part::Appended)
            logs.push_back(entry->path());
        // A table that is being written has grown when it is looked at again.
        if (part == Part::Table && !has_same_size(entry->path(), copy))
            if (auto copied = copy_if_there(entry->path(), copy); !copied)
                return copied;
    }
    if (error)
        return failed(from, error);
    std::sort(logs.begin(), logs.end()); // the newest, which still grows, last
    for (auto const& log : logs)
        if (auto copied = copy_if_there(log, to / log.filename()); !copied)
            return copied;
    return {};
}

core::Result<void> copy_database(fs::path const& from, fs::path const& to) {
    std::error_code error;
    fs::create_directory(to, error);
    if (error)
        return failed(to, error);
    fs::permissions(to, fs::perms::owner_all, error);
    for (int tries = 0; tries < kTries; ++tries) {
        auto const before = file_list_of(from);
        if (!before)
            return tl::make_unexpected(before.error());
        if (auto copied = copy_parts(from, to); !copied)
            return copied;
        if (auto copied = copy_if_there(from / before->name, to / before->name); !copied)
            return copied;
        if (auto copied = copy_if_there(from / "CURRENT", to / "CURRENT"); !copied)
            return copied;
        auto const after = file_list_of(from);
        if (after == before && file_list_of(to) == before)
            return sync_directory(to);
        // Write-ahead logs whose events are in tables by now would be read twice.
        for (auto const& entry : fs::directory_iterator(to, error))
            if (part_of(entry.path()) != Part::Table)
                fs::remove(entry.path(), error);
    }
    return core::fail(
        core::ErrorCode::Storage,
        "the files of " + from.string() + " change faster than they can be copied: try again"
    );
}

core::Result<void> copy_if_any(fs::path const& from, fs::path const& to) {
    auto copied = copy_file_durably(from, to);
    if (!copied && copied.error().code == core::ErrorCode::NotFound)
        return {};
    return copied;
}

core::Result<void> copy_notes(SideFiles const& from, SideFiles const& to) {
    if (auto copied = copy_if_any(from.unconfirmed, to.unconfirmed); !copied)
        return copied;
    if (auto copied = copy_if_any(from.rolled_back, to.rolled_back); !copied)
        return copied;
    if (auto copied = copy_if_any(from.list, to.list); !copied)
        return copied;
    return copy_if_any(from.witness, to.witness);
}

/// Whether the notes are still those that were copied. A start deals with a failed sync, and takes
/// its note away: an old note beside the log that goes on would take back what was answered since.
core::Result<bool> are_notes_the_same(SideFiles const& from, SideFiles const& to) {
    for (auto const note : {&SideFiles::unconfirmed, &SideFiles::rolled_back}) {
        auto const now = read_file(from.*note);
        if (!now)
            return tl::make_unexpected(now.error());
        auto const copied = read_file(to.*note);
        if (!copied)
            return tl::make_unexpected(copied.error());
        if (*now != *copied)
            return false;
    }
    return true;
}

core::Result<void> copy_notes_and_database(SideFiles const& from, SideFiles const& to) {
    for (int tries = 0; tries < kTries; ++tries) {
        if (auto copied = copy_notes(from, to); !copied)
            return copied;
        if (auto copied = copy_database(from.log, to.log); !copied)
            return copied;
        auto const same = are_notes_the_same(from, to);
        if (!same)
            return tl::make_unexpected(same.error());
        if (*same)
            return {};
        std::error_code error;
        for (auto const* part : {&to.unconfirmed, &to.rolled_back, &to.list, &to.witness, &to.log})
            fs::remove_all(*part, error);
        if (error)
            return failed(to.log, error);
    }
    return core::fail(
        core::ErrorCode::Storage,
        "the manager starts anew faster than its log can be copied: see why, and try again"
    );
}

core::Result<void> copy_keys(fs::path const& from, fs::path const& to) {
    std::error_code error;
    if (!fs::exists(from / "keys", error) && !error)
        return {}; // an imported log has none
    return copy_directory_durably(from / "keys", to / "keys");
}

core::Result<void> copy_all(fs::path const& data, fs::path const& partial, CheckCopy const& check) {
    SideFiles const from(data);
    SideFiles const to(partial);
    if (auto copied = copy_keys(data, partial); !copied)
        return copied;
    if (auto copied = copy_notes_and_database(from, to); !copied)
        return copied;
    if (auto synced = sync_directory(partial); !synced)
        return synced;
    return check(partial);
}

/// Root restores what the manager's own user must read.
core::Result<void> give_to_owner(fs::path const& data) {
    struct stat owner {};
    if (::geteuid() != 0 || ::stat(data.c_str(), &owner) != 0 || owner.st_uid == 0)
        return {};
    std::error_code error;
    for (auto const& entry : fs::recursive_directory_iterator(data, error))
        if (::lchown(entry.path().c_str(), owner.st_uid, owner.st_gid) != 0)
            return failed(entry.path(), std::error_code(errno, std::generic_category()));
    if (error)
        return failed(data, error);
    return {};
}

} // namespace

core::Result<void> back_up(fs::path const& data, fs::path const& named, CheckCopy const& check) {
    std::error_code error;
    auto target = fs::absolute(named).lexically_normal();
    if (!target.has_filename()) // "backup/"
        target = target.parent_path();
    if (fs::exists(fs::symlink_status(target, error)))
        return core::fail(
            core::ErrorCode::Conflict, target.string() + " is there already: name a new directory"
        );
    auto const partial = fs::path(target).concat(".partial");
    fs::remove_all(partial, error); // of an attempt that was cut off
    fs::create_directories(partial, error);
    if (!error) // keys are in it
        fs::permissions(partial, fs::perms::owner_all, error);
    if (error)
        return failed(partial, error);
    if (auto copied = copy_all(data, partial, check); !copied) {
        fs::remove_all(partial, error);
        return copied;
    }
    fs::rename(partial, target, error);
    if (error)
        return failed(target, error);
    return sync_directory(target.parent_path());
}

core::Result<void> restore(fs::path const& backup, fs::path const& data) {
    std::error_code error;
    bool const is_new = fs::create_directories(data, error);
    if (!error && !is_new && !fs::is_empty(data, error))
        return core::fail(
            core::ErrorCode::Conflict,
            data.string() + " is not empty: stop the manager and move it away first"
        );
    if (!error && is_new)
        fs::permissions(data, fs::perms::owner_all, error);
    if (error)
        return failed(data, error);
    SideFiles const from(backup);
    SideFiles const to(data);
    if (auto copied = copy_keys(backup, data); !copied)
        return copied;
    if (auto copied = copy_database(from.log, to.log); !copied)
        return copied;
    if (auto copied = copy_notes(from, to); !copied)
        return copied;
    if (auto given = give_to_owner(data); !given)
        return given;
    return sync_directory(data);
}

} // namespace cpm::eventstore
