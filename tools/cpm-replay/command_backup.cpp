// cpm-replay backup, restore: a data directory copied as a whole, and read before it is told of.
#include "eventstore/backup.hpp"
#include "eventstore/list_of_files.hpp"
#include "eventstore/side_files.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/copied.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <fmt/format.h>

namespace cpm::replay {
namespace {

using eventstore::Head;

/// Reads a whole log and its chain, and compares it with its witness and its list of files with
/// what was noted of it. Corrupt when it is not all that was there.
core::Result<Head> read_all(std::filesystem::path const& data) {
    eventstore::SideFiles const files(data);
    auto const witness = eventstore::read_witness(files);
    if (!witness)
        return tl::make_unexpected(witness.error());
    auto const other_list = eventstore::why_not_the_list_noted(files);
    if (!other_list)
        return tl::make_unexpected(other_list.error());
    if (!other_list->empty())
        return core::fail(
            core::ErrorCode::Corrupt,
            fmt::format("the log of {} is not whole: {}", data.string(), *other_list)
        );
    auto const log = eventstore::RocksDbReader::open(data);
    if (!log)
        return tl::make_unexpected(log.error());
    auto const head = (*log)->head();
    bool is_witnessed = !*witness || !(*witness)->sequence;
    auto const done = walk(**log, {1}, head.sequence, true, [&](auto const& stored) {
        if (*witness && stored.event.sequence == (*witness)->sequence)
            is_witnessed = stored.hash == (*witness)->hash;
        return true;
    });
    if (!done)
        return tl::make_unexpected(done.error());
    if (stop_requested())
        return core::fail(core::ErrorCode::Storage, "interrupted: nothing was made");
    if (!is_witnessed) { // what was compacted away cannot be compared
        auto const range = (*log)->range_of((*witness)->sequence);
        is_witnessed = range && *range;
    }
    if (!is_witnessed)
        return core::fail(
            core::ErrorCode::Corrupt,
            fmt::format(
                "the log of {} has not event {} as its head witness says",
                data.string(),
                (*witness)->sequence.value
            )
        );
    if (!*witness && head.sequence)
        return core::fail(
            core::ErrorCode::Corrupt,
            fmt::format(
                "{} is missing: nothing tells whether the log lost its end", files.witness.string()
            )
        );
    if (auto read = eventstore::RocksDbReader::check_beside(data); !read)
        return tl::make_unexpected(read.error());
    return head;
}

} // namespace

Outcome backup(Options const& options) {
    Head head;
    auto const check = [&](std::filesystem::path const& copy) -> core::Result<void> {
        auto const read = read_all(copy);
        if (!read)
            return tl::make_unexpected(read.error());
        head = *read;
        return {};
    };
    auto const made = eventstore::back_up(options.data_dir, options.path, check);
    if (!made) {
        auto error = made.error();
        if (error.code == core::ErrorCode::NotFound) // not wrong usage, even when there is none
            error.code = core::ErrorCode::Storage;
        return tl::make_unexpected(std::move(error));
    }
    tell_copied("backed up to", options.path, head, options.output);
    return kFine;
}

Outcome restore(Options const& options) {
    auto const head = read_all(options.path);
    if (!head)
        return core::fail(core::ErrorCode::Storage, head.error().detail);
    if (auto const done = eventstore::restore(options.path, options.data_dir); !done)
        return tl::make_unexpected(done.error());
    tell_copied("restored to", options.data_dir, *head, options.output);
    return kFine;
}

} // namespace cpm::replay
