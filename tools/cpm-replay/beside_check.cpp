#include "tools/cpm-replay/beside_check.hpp"

#include "eventstore/list_of_files.hpp"

#include <fmt/format.h>

namespace cpm::replay {

using eventstore::Head;

std::optional<Head> check_witness_files(eventstore::SideFiles const& files, FaultSink const& sink) {
    auto const tell = [&](std::string text) { sink({Check::Witness, {}, {}, std::move(text)}); };
    auto const witness = eventstore::read_witness(files);
    if (!witness)
        tell(witness.error().detail);
    else if (!*witness)
        tell(files.witness.string() + " is missing: nothing tells whether the log lost its end");
    auto const other_list = eventstore::why_not_the_list_noted(files);
    if (!other_list || !other_list->empty())
        tell(other_list ? *other_list : other_list.error().detail);
    return witness ? *witness : std::nullopt;
}

namespace {

std::string why_not_witnessed(Head const& witness, eventstore::RocksDbReader const& log) {
    auto const head = log.head();
    auto const reached = witness.sequence;
    if (head.sequence < reached)
        return fmt::format(
            "it ends at event {}, but had reached event {}", head.sequence.value, reached.value
        );
    auto const hash = reached ? log.hash_of(reached) : witness.hash;
    // A record that is missing is named where it is read, or was compacted away.
    return hash && *hash != witness.hash
               ? fmt::format("its event {} is not the one that was written", reached.value)
               : std::string();
}

} // namespace

std::string why_not_all(
    std::filesystem::path const& data,
    core::Result<std::optional<Head>> const& witness,
    eventstore::RocksDbReader const& log
) {
    if (!witness)
        return witness.error().detail;
    if (!*witness && log.head().sequence)
        return "it has no head witness, and may have lost its end";
    if (*witness)
        if (auto why = why_not_witnessed(**witness, log); !why.empty())
            return why;
    auto const other_list = eventstore::why_not_the_list_noted(eventstore::SideFiles(data));
    if (!other_list || !other_list->empty())
        return other_list ? *other_list : other_list.error().detail;
    auto const opens = eventstore::RocksDbReader::check_opens(data);
    return opens ? std::string() : opens.error().detail;
}

void check_rollback(eventstore::SideFiles const& files, Head const& head, FaultSink const& sink) {
    auto const tell = [&](std::string text) { sink({Check::Witness, {}, {}, std::move(text)}); };
    auto const note = eventstore::read_rolled_back(files);
    if (!note)
        tell(note.error().detail);
    else if (*note && (*note)->counts_in(head.epoch))
        tell("the log is rolled back, not yet accepted: " + (*note)->why);
}

core::Result<void> check_tables(std::filesystem::path const& data, FaultSink const& sink) {
    auto read = eventstore::RocksDbReader::check_beside(data);
    if (read || read.error().code != core::ErrorCode::Corrupt)
        return read;
    sink({Check::Table, {}, {}, read.error().detail});
    return {};
}

} // namespace cpm::replay
