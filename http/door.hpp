#pragma once

#include "http/app.hpp"
#include "http/authentication.hpp"
#include "http/connections.hpp"
#include "http/forwarded.hpp"
#include "http/head.hpp"
#include "http/route.hpp"
#include "http/unread_answers.hpp"
#include "manager/listening.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

namespace cpm::http {

class Link;

/// What an address of the manager leads to.
enum class Interface : std::uint8_t {
    Own,            ///< the API, the agents' endpoints, the dashboard
    CompatibleWake, ///< HTTP 3.4: routes of its own, an API token in X-Auth-Token
};

/// What all connections share. Owned by the Server; outlives every session.
struct Door {
    App& app;
    Authentication& authentication;
    std::span<Route const> routes;
    std::shared_ptr<Connections> connections;
    std::vector<std::string> names; ///< accepted in Host (AppConfig, and the public URL's)
    TrustedProxies proxies;
    std::function<void(std::string_view line)> report;

    bool stopping = false;
    core::MonoTime last_tick{}; ///< when the loop's own tick last came
    std::unordered_set<Link*> links;
    UnreadAnswers unread;
    std::function<void()> on_drained; ///< called when stopping and the last link has gone

    /// The loop has not turned: a deadline that passed meanwhile proves nothing (status model 1.5).
    bool has_stalled(core::MonoTime now) const {
        return now - last_tick >= manager::kTick + manager::kLate;
    }
};

} // namespace cpm::http
