// Reading the log's database: along the chain, over what was compacted away, and by index.
#include "eventstore/hash.hpp"
#include "eventstore/record.hpp"
#include "eventstore/rocksdb_database.hpp"

#include <rocksdb/db.h>

#include <algorithm>

namespace cpm::eventstore {
namespace {

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

std::optional<std::uint64_t> big_endian(std::string_view bytes) {
    if (bytes.size() != 8)
        return std::nullopt;
    std::uint64_t value = 0;
    for (char const byte : bytes)
        value = value << 8 | std::uint8_t(byte);
    return value;
}

std::span<std::uint8_t const> bytes_of(rocksdb::Slice const& slice) {
    return {reinterpret_cast<std::uint8_t const*>(slice.data()), slice.size()};
}

rocksdb::ReadOptions scan() {
    rocksdb::ReadOptions options;
    // A replay reads everything once; it must not push out what is read again and again.
    options.fill_cache = false;
    return options;
}

/// The number in a key of the log's own family; none at the end or when it is none.
std::optional<std::uint64_t> number_at(rocksdb::Iterator const& at) {
    return at.Valid() ? big_endian(at.key().ToStringView()) : std::nullopt;
}

tl::unexpected<core::Error> broken_range(core::Sequence sequence) {
    return core::fail(
        core::ErrorCode::Corrupt,
        "event " + std::to_string(sequence.value) +
            ": the heartbeats that were compacted away from here on do not follow the record "
            "before "
            "them"
    );
}

} // namespace

core::Result<Database::State> Database::state() const {
    State state;
    auto const id = get(ColumnFamily::Meta, kIdKey);
    if (!id)
        return tl::make_unexpected(id.error());
    auto const epoch = get(ColumnFamily::Meta, kEpochKey);
    if (!epoch)
        return tl::make_unexpected(epoch.error());
    std::unique_ptr<rocksdb::Iterator> const last(
        db_->NewIterator(scan(), family(ColumnFamily::Log))
    );
    last->SeekToLast();
    if (!last->status().ok())
        return storage_error("cannot read the log", last->status());

    bool const used = *id || *epoch || last->Valid();
    if (!used)
        return state;
    auto const number = *epoch ? big_endian(**epoch) : std::nullopt;
    if (!*id || (*id)->size() != core::Hash().size() || !number)
        return core::fail(
            core::ErrorCode::Corrupt, "the log's id or epoch is missing; restore it from a backup"
        );
    state.log_id.emplace();
    std::copy((*id)->begin(), (*id)->end(), state.log_id->begin());
    state.head = {*number, {}, *state.log_id};
    if (last->Valid()) {
        auto const sequence = big_endian(last->key().ToStringView());
        if (!sequence || *sequence == 0)
            return core::fail(core::ErrorCode::Corrupt, "the log's last key is no sequence");
        state.head.sequence = {*sequence};
        state.head.hash = sha256(bytes_of(last->value()));
    }
    return state;
}

core::Result<core::Hash> Database::hash_of(core::Sequence sequence) const {
    rocksdb::PinnableSlice record;
    auto const status =
        db_->Get(rocksdb::ReadOptions(), family(ColumnFamily::Log), key_of(sequence), &record);
    if (status.IsNotFound())
        return missing_record(sequence);
    if (!status.ok())
        return storage_error("event " + std::to_string(sequence.value), status);
    return sha256(bytes_of(record));
}

// --- what was compacted away

/// The last range that begins at or before this number.
core::Result<Database::Range> Database::range_before(core::Sequence sequence) const {
    std::unique_ptr<rocksdb::Iterator> const at(
        db_->NewIterator(rocksdb::ReadOptions(), family(ColumnFamily::Meta))
    );
    at->SeekForPrev(range_key_of(sequence));
    return range_at(*at);
}

core::Result<Database::Range> Database::range_after(core::Sequence sequence) const {
    std::unique_ptr<rocksdb::Iterator> const at(
        db_->NewIterator(rocksdb::ReadOptions(), family(ColumnFamily::Meta))
    );
    at->Seek(range_key_of(sequence.next()));
    return range_at(*at);
}

/// The range that an entry of the index names, none when it is no such entry.
core::Result<Database::Range> Database::range_at(rocksdb::Iterator const& at) const {
    if (!at.status().ok())
        return storage_error("cannot read the index of what was compacted", at.status());
    if (!at.Valid() || !at.key().ToStringView().starts_with(kRangeKeys))
        return std::nullopt;
    // The event is the truth, and in the chain; the index only says where it is.
    auto const first = big_endian(at.key().ToStringView().substr(kRangeKeys.size()));
    auto const number = big_endian(at.value().ToStringView());
    core::Sequence const event{number.value_or(0)};
    rocksdb::PinnableSlice record;
    auto const status =
        db_->Get(rocksdb::ReadOptions(), family(ColumnFamily::Log), key_of(event), &record);
    if (status.IsNotFound())
        return missing_record(event);
    if (!status.ok())
        return storage_error("event " + std::to_string(event.value), status);
    auto const stored = open_record(event, bytes_of(record), nullptr);
    if (!stored)
        return tl::make_unexpected(stored.error());
    auto const* range = std::get_if<core::HeartbeatsCompacted>(&stored->event.payload);
    if (!range || first != range->first.value)
        return core::fail(
            core::ErrorCode::Corrupt,
            "event " + std::to_string(event.value) +
                ": the index of what was compacted names it, and it says something else"
        );
    return *range;
}

core::Result<Database::Range> Database::range_of(core::Sequence sequence) const {
    auto range = range_before(sequence);
    if (range && *range && (*range)->last < sequence)
        range->reset();
    return range;
}

core::Result<core::Sequence> Database::compacted_until() const {
    auto const last = range_before({~0ULL});
    if (!last)
        return tl::make_unexpected(last.error());
    return *last ? (*last)->last : core::Sequence{};
}

core::Result<core::Sequence> Database::removed_until() const {
    auto const value = get(ColumnFamily::Meta, kCompactedKey);
    if (!value)
        return tl::make_unexpected(value.error());
    return core::Sequence{*value ? big_endian(**value).value_or(0) : 0};
}

/// Where the chain goes on behind a missing record that `previous` was to be followed by.
core::Result<Resumed>
Database::resume(core::Sequence next, core::Hash const& previous, bool is_begin) const {
    auto const range = range_of(next);
    if (!range)
        return tl::make_unexpected(range.error());
    // A reader that begins within a range may see it go away.
    if (!*range || ((*range)->first != next && !is_begin))
        return missing_record(next);
    if ((*range)->first == next && (*range)->prev_hash != previous)
        return broken_range(next);
    return Resumed{(*range)->last.next(), (*range)->last_hash};
}

/// Where reading from `first` on begins, and what the record there follows.
core::Result<Resumed> Database::begin_at(State const& state, core::Sequence first) const {
    if (first.value == 1)
        return Resumed{first, *state.log_id};
    core::Sequence const before{first.value - 1};
    auto const hash = hash_of(before);
    if (hash)
        return Resumed{first, *hash};
    if (hash.error().code != core::ErrorCode::Corrupt)
        return tl::make_unexpected(hash.error());
    auto const range = range_of(before);
    if (!range)
        return tl::make_unexpected(range.error());
    if (!*range)
        return tl::make_unexpected(hash.error());
    return Resumed{(*range)->last.next(), (*range)->last_hash};
}

// --- along the chain

core::Result<void> Database::read(
    State const& state, core::Sequence first, core::Sequence last, EventVisitor const& visit
) const {
    first = std::max(first, core::Sequence{1});
    last = std::min(last, state.head.sequence);
    if (first > last)
        return {};
    auto const begin = begin_at(state, first);
    if (!begin)
        return tl::make_unexpected(begin.error());
    auto [next, previous] = *begin;
    std::unique_ptr<rocksdb::Iterator> const at(db_->NewIterator(scan(), family(ColumnFamily::Log))
    );
    at->Seek(key_of(next));
    while (next <= last) {
        if (!at->status().ok())
            return storage_error("event " + std::to_string(next.value), at->status());
        if (number_at(*at) != next.value) {
            auto const resumed = resume(next, previous, next == begin->next);
            if (!resumed)
                return tl::make_unexpected(resumed.error());
            next = resumed->next;
            previous = resumed->previous;
            continue;
        }
        auto const stored = open_record(next, bytes_of(at->value()), &previous);
        if (!stored)
            return tl::make_unexpected(stored.error());
        if (!visit(*stored))
            break;
        previous = stored->hash;
        next = next.next();
        at->Next();
    }
    return {};
}

core::Result<void> Database::read_back(
    State const& state, core::Sequence first, core::Sequence last, EventVisitor const& visit
) const {
    first = std::max(first, core::Sequence{1});
    auto next = std::min(last, state.head.sequence);
    if (first > next)
        return {};
    std::unique_ptr<rocksdb::Iterator> const at(db_->NewIterator(scan(), family(ColumnFamily::Log))
    );
    at->SeekForPrev(key_of(next));
    while (next >= first) {
        if (!at->status().ok())
            return storage_error("event " + std::to_string(next.value), at->status());
        if (number_at(*at) != next.value) {
            auto const range = range_of(next);
            if (!range)
                return tl::make_unexpected(range.error());
            if (!*range)
                return missing_record(next);
            next = {(*range)->first.value - 1};
            continue;
        }
        auto const stored = open_record(next, bytes_of(at->value()), nullptr);
        if (!stored)
            return tl::make_unexpected(stored.error());
        if (!visit(*stored))
            break;
        next = {next.value - 1};
        at->Prev();
    }
    return {};
}

// --- by index

core::Result<void> Database::read_server(
    State const& state,
    core::ServerId server,
    core::Sequence first,
    core::Sequence last,
    EventVisitor const& visit
) const {
    last = std::min(last, state.head.sequence);
    if (first > last)
        return {};
    std::unique_ptr<rocksdb::Iterator> const at(
        db_->NewIterator(rocksdb::ReadOptions(), family(ColumnFamily::ByServer))
    );
    auto const end = key_of(server, last);
    rocksdb::PinnableSlice record;
    for (at->Seek(key_of(server, first)); at->Valid() && at->key().compare(end) <= 0; at->Next()) {
        auto const number = big_endian(at->key().ToStringView().substr(8));
        if (!number)
            return core::fail(core::ErrorCode::Corrupt, "a key of the index is no key");
        core::Sequence const sequence{*number};
        record.Reset();
        auto const status =
            db_->Get(rocksdb::ReadOptions(), family(ColumnFamily::Log), key_of(sequence), &record);
        if (status.IsNotFound()) { // compacted away since the index was opened, or lost
            auto const range = range_of(sequence);
            if (!range)
                return tl::make_unexpected(range.error());
            if (!*range)
                return missing_record(sequence);
            continue;
        }
        if (!status.ok())
            return storage_error("event " + std::to_string(*number), status);
        auto const stored = open_record(sequence, bytes_of(record), nullptr);
        if (!stored)
            return tl::make_unexpected(stored.error());
        if (!visit(*stored))
            return {};
    }
    if (!at->status().ok())
        return storage_error("cannot read the index", at->status());
    return {};
}

core::Result<void>
Database::read_index(std::function<void(core::ServerId, core::Sequence)> const& visit) const {
    std::unique_ptr<rocksdb::Iterator> const at(
        db_->NewIterator(scan(), family(ColumnFamily::ByServer))
    );
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        auto const key = at->key().ToStringView();
        auto const server = big_endian(key.substr(0, 8));
        auto const sequence = big_endian(key.substr(std::min<std::size_t>(key.size(), 8)));
        if (!server || !sequence)
            return core::fail(core::ErrorCode::Corrupt, "a key of the index is no key");
        visit({*server}, {*sequence});
    }
    if (!at->status().ok())
        return storage_error("cannot read the index", at->status());
    return {};
}

core::Result<void>
Database::read_ranges(std::function<void(core::Sequence, core::Sequence)> const& visit) const {
    std::unique_ptr<rocksdb::Iterator> const at(db_->NewIterator(scan(), family(ColumnFamily::Meta))
    );
    for (at->Seek(slice(kRangeKeys));
         at->Valid() && at->key().ToStringView().starts_with(kRangeKeys);
         at->Next()) {
        auto const first = big_endian(at->key().ToStringView().substr(kRangeKeys.size()));
        auto const event = big_endian(at->value().ToStringView());
        if (!first || !event)
            return core::fail(core::ErrorCode::Corrupt, "a key of the index is no key");
        visit({*first}, {*event});
    }
    if (!at->status().ok())
        return storage_error("cannot read the index of what was compacted", at->status());
    return {};
}

core::Result<void> Database::read_table(
    Table table, std::function<void(std::string_view, std::string_view)> const& visit
) const {
    std::unique_ptr<rocksdb::Iterator> const at(
        db_->NewIterator(rocksdb::ReadOptions(), family(family_of(table)))
    );
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        auto const key = at->key().ToStringView();
        if (table == Table::Meta && key.starts_with(kOwnKeys))
            continue;
        visit(key, at->value().ToStringView());
    }
    if (!at->status().ok())
        return storage_error("cannot read a table of the log", at->status());
    return {};
}

} // namespace cpm::eventstore
