#pragma once

#include "core/fleet.hpp"
#include "core/result.hpp"
#include "http/query_input.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cpm::http {

enum class SortKey : std::uint8_t { Name, Status, ChangedAt, LastHeartbeatAt };

/// Which servers of the table somebody wants to see, and in which order (HTTP 3.2).
struct ServerQuery {
    /// As people read them: ON finds ManuallyON, too. Empty: all.
    std::vector<core::ActualStatus> statuses{};
    std::string tag{};
    std::string text{}; ///< in name, note, tags, host name, addresses; case does not matter
    SortKey sort = SortKey::Name;
    bool descending = false;
    Page page{};
};

/// Reads ?status= (several with commas), tag, q, sort ("name", "-changed_at"), limit and cursor.
core::Result<ServerQuery> read_server_query(Request const& request);

struct ServerPage {
    std::vector<core::Server const*> servers;
    std::optional<std::string> next_cursor;
};

/// One page of them. A cursor names the place after the last server shown, so that what is added or
/// removed meanwhile moves nothing. Fails with Validation when the cursor is of another order.
core::Result<ServerPage> find_servers(core::Fleet const& fleet, ServerQuery const& query);

} // namespace cpm::http
