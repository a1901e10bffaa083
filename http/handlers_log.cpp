// What happened, and what people are told of it (HTTP 3.2).
#include "core/hex.hpp"
#include "http/answers.hpp"
#include "http/event_search.hpp"
#include "http/gate.hpp"
#include "http/handlers.hpp"
#include "http/notification_answers.hpp"
#include "http/problem.hpp"
#include "http/query_input.hpp"
#include "manager/people_commands.hpp"
#include "projections/json_parts.hpp"

#include <algorithm>

namespace cpm::http {
namespace {

namespace json = boost::json;
using manager::AcceptRollback;
using manager::DismissNotification;

core::Error no_such_notification() {
    return {
        core::ErrorCode::NotFound,
        "there is no such notification any more: it went with its cause"};
}

/// The notifications of one page; a place is the id of the last one shown.
core::Result<json::object>
notifications_page(std::vector<projections::Notification const*> const& all, Page const& page) {
    auto it = all.begin();
    if (page.after) {
        it = std::ranges::find(all, *page.after, &projections::Notification::id);
        if (it == all.end())
            return core::invalid("cursor", "its notification is gone: begin without it");
        ++it;
    }
    json::array items;
    for (; it != all.end() && items.size() < page.limit; ++it)
        items.push_back(projections::to_json(**it));
    std::optional<std::string> next;
    if (it != all.end())
        next = make_cursor((*std::prev(it))->id);
    return page_json(std::move(items), next);
}

} // namespace

HandlerResult list_events(App& app, Request const& request, Caller const& caller) {
    auto const query = read_event_query(request);
    if (!query)
        co_return refused(app, query.error());
    auto const pass = co_await app.searches.enter(actor_of(caller));
    if (!pass)
        co_return problem(429, "too many searches through the log are under way: ask again soon");
    EventSearch search(app.log, *query);
    while (!search.is_done()) {
        if (auto const fine = search.step(); !fine)
            co_return refused(app, fine.error());
        co_await asio::post(app.io, asio::use_awaitable); // others have their turn
    }
    co_return json_response(200, page_json(search.take_items(), search.next_cursor()));
}

HandlerResult get_head(App& app, Request const& /*request*/, Caller const& /*caller*/) {
    auto const& head = app.model.head();
    co_return json_response(
        200,
        json::object{
            {"epoch", head.epoch},
            {"sequence", head.sequence.value},
            {"hash", core::to_hex(head.hash)},
        }
    );
}

HandlerResult list_notifications(App& app, Request const& request, Caller const& /*caller*/) {
    auto const page = read_page_alone(request);
    if (!page)
        co_return refused(app, page.error());
    auto const body = notifications_page(app.model.notifications().items(), *page);
    if (!body)
        co_return refused(app, body.error());
    auto shown = *body;
    if (!page->after && app.writer.readiness() == manager::Readiness::RolledBack) {
        auto& items = shown.at("items").as_array();
        items.insert(items.begin(), rolled_back_notification());
    }
    co_return json_response(200, shown);
}

HandlerResult dismiss_notification(App& app, Request const& request, Caller const& caller) {
    auto const* notification = app.model.notifications().find(request.captures.at(0));
    if (!notification) {
        Refuse command{no_such_notification()};
        Render<Refuse> render = render_sequence<Refuse>;
        co_return co_await answer_change(
            app, request, caller, std::move(command), std::move(render)
        );
    }
    auto const& servers = notification->server_ids;
    DismissNotification command{
        caller.actor,
        notification->id,
        servers.empty() ? core::ServerId{} : servers.front(),
    };
    Render<DismissNotification> render = render_sequence<DismissNotification>;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

HandlerResult accept_rollback(App& app, Request const& request, Caller const& caller) {
    AcceptRollback command{caller.actor};
    Render<AcceptRollback> render = render_sequence<AcceptRollback>;
    co_return co_await answer_change(app, request, caller, std::move(command), std::move(render));
}

} // namespace cpm::http
