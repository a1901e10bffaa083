#pragma once

#include "http/read_model.hpp"
#include "http/webhook_client.hpp"
#include "manager/clock.hpp"
#include "projections/raised_notifications.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cpm::http {

struct App;

/// Notifications out (HTTP 3.2): each that is raised is sent to every webhook that wants it.
///
/// Operation: a notification waits RaisedNotifications::kSettle, so that what is grouped with
/// others or goes at once is not sent by itself. Then it is tried at once and, until the receiver
/// answers 2xx, ever more rarely for about a day; 410 ends it at once. One attempt at a time for
/// each webhook, none waits for another webhook's. How far a webhook was told is kept
/// (Webhook::told): what was raised after that is sent again after a restart, under the same
/// webhook-id.
///
/// Concurrency: the interface's thread, on which nothing here waits but coroutines.
///
/// Limitations: of a webhook that is behind by more than RaisedNotifications::kMost, the oldest are
/// given up.
class Webhooks {
  public:
    using Report = std::function<void(std::string_view line)>;

    Webhooks(
        boost::asio::io_context& io, ReadModel& model, manager::Clock const& clock, Report report
    );
    ~Webhooks();

    /// The end of the history: sending begins. `app` must outlive all that runs on the context.
    void start(App& app);
    void set_rolled_back(bool rolled_back);
    /// Call often: sends what is due.
    void tick(core::Now now);
    /// Nothing more is sent.
    void stop() { stopping_ = true; }

    /// A trial, sent now, whatever else waits.
    boost::asio::awaitable<WebhookResult> test(manager::Webhook webhook, std::string id);

    /// How many notifications wait for a receiver, and what became of the last attempt.
    struct Progress {
        std::size_t pending = 0;
        std::string last_result; ///< empty: nothing was tried since the start
    };
    Progress progress(std::string_view id) const;

  private:
    /// One notification for one webhook.
    struct Pending {
        std::shared_ptr<projections::Raised> raised; ///< null: that the log was rolled back
        std::size_t attempts = 0;
        core::MonoTime due{};
        bool done = false;
    };
    struct Receiver {
        std::deque<std::shared_ptr<Pending>> pending; ///< oldest first
        bool busy = false;
        std::string last_result;
    };

    void on_applied(Applied const& applied);
    void follow_webhooks();
    void take_news(core::MonoTime now);
    void send_due(manager::Webhook const& webhook, Receiver& receiver, core::Now now);
    boost::asio::awaitable<void> deliver(manager::Webhook webhook, std::shared_ptr<Pending> item);
    void conclude(
        manager::Webhook const& webhook, Pending& item, WebhookResult const& result, core::Now now
    );
    boost::asio::awaitable<void> forget_done(std::string id);

    boost::asio::io_context& io_;
    ReadModel& model_;
    manager::Clock const& clock_;
    Report report_;
    App* app_ = nullptr;
    std::map<std::string, Receiver, std::less<>> receivers_; ///< by the webhook's id
    std::uint64_t taken_ = 0;                                ///< of the notifications ever raised
    bool rolled_back_ = false;
    bool stopping_ = false;
};

} // namespace cpm::http
