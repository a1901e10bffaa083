#include "tools/cpm-replay/beside_check.hpp"

#include "eventstore/list_of_files.hpp"

namespace cpm::replay {

using eventstore::Head;
using eventstore::Table;

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

void check_rollback(eventstore::SideFiles const& files, Head const& head, FaultSink const& sink) {
    auto const tell = [&](std::string text) { sink({Check::Witness, {}, {}, std::move(text)}); };
    auto const note = eventstore::read_rolled_back(files);
    if (!note)
        tell(note.error().detail);
    else if (*note && (*note)->counts_in(head.epoch))
        tell("the log is rolled back, not yet accepted: " + (*note)->why);
}

core::Result<void> read_tables(eventstore::EventReader const& log) {
    for (auto const table : {Table::Accounts, Table::Idempotency, Table::Meta})
        if (auto read = log.read_table(table, [](auto, auto) {}); !read)
            return read;
    return {};
}

core::Result<void> check_tables(eventstore::EventReader const& log, FaultSink const& sink) {
    auto read = read_tables(log);
    if (read || read.error().code != core::ErrorCode::Corrupt)
        return read;
    sink({Check::Table, {}, {}, read.error().detail});
    return {};
}

} // namespace cpm::replay
