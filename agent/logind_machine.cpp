#include "agent/logind_machine.hpp"

#include "agent/files.hpp"
#include "agent/logind_bus.hpp"
#include "agent/program.hpp"
#include "agent/wire.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <cstring>

namespace cpm::agent {
namespace {

namespace asio = boost::asio;
using Result = tl::expected<void, std::string>;

constexpr std::chrono::seconds kHooksLimit{24 * 3600};
constexpr auto kSystemctl = "/usr/bin/systemctl";
/// A little longer than sd-bus waits itself (25 s), which then makes an error of it.
constexpr std::chrono::seconds kReplyLimit{30};

constexpr char const* member_of(OffMethod method) {
    switch (method) {
    case OffMethod::PowerOff: return "PowerOff";
    case OffMethod::Suspend: return "Suspend";
    case OffMethod::Hibernate: return "Hibernate";
    }
    return "";
}

} // namespace

/// Logind's reply to an act, awaited by a coroutine.
struct LogindMachine::Reply {
    explicit Reply(asio::any_io_executor const& executor)
        : come(executor) {}
    asio::steady_timer come;
    Result result = tl::make_unexpected(std::string("logind did not answer"));
};

int LogindMachine::on_reply(sd_bus_message* message, void* data, sd_bus_error*) {
    auto& reply = *static_cast<Reply*>(data);
    auto const* error = sd_bus_message_get_error(message);
    if (error)
        reply.result =
            tl::make_unexpected(std::string(error->message ? error->message : "no answer"));
    else
        reply.result = Result{};
    reply.come.cancel();
    return 0;
}

LogindMachine::LogindMachine(asio::io_context& io, MachineConfig config)
    : config_(std::move(config))
    , bus_(std::make_shared<LogindBus>(io)) {
    bus_->look();
    bus_->wait_for_first_look();
}

LogindMachine::~LogindMachine() = default;

std::string LogindMachine::blocked_by() {
    auto hold = read_hold(config_.hold_file);
    return hold.empty() ? bus_->veto : hold;
}

std::string LogindMachine::sleep_blocked_by() {
    return bus_->sleep_veto;
}

Leaving LogindMachine::leaving() {
    return bus_->leaving;
}

bool LogindMachine::take_cancelled() {
    return std::exchange(bus_->cancelled, false);
}

void LogindMachine::acted_before() {
    bus_->doubt_act();
}

void LogindMachine::withdraw_act() {
    if (!awaited_)
        return;
    bus_->lose("logind did not answer"); // it obeys nobody who is gone
    awaited_->come.cancel();
}

void LogindMachine::goodbye_said() {
    bus_->release_sleep();
}

void LogindMachine::being_stopped() {
    bus_->look_at_jobs();
}

asio::awaitable<HooksEnd> LogindMachine::prepare() {
    std::vector<std::string> arguments{
        kSystemctl, "--quiet", "--no-ask-password", "start", "cpm-agent-hooks.service"};
    auto const done = co_await run_program(std::move(arguments), {}, kHooksLimit);
    if (done)
        co_return HooksEnd{};
    // The unit's own output is in the journal.
    auto const name = read_file(kFailedHookFile);
    auto failed =
        name && !name->empty() ? plain_line(*name) : std::string("cpm-agent-hooks.service");
    co_return HooksEnd{
        .failed = std::move(failed),
        .report = {"cpm-agent-hooks.service: " + done.error()},
    };
}

asio::awaitable<Result> LogindMachine::go_down(OffMethod method) {
    if (!bus_->get())
        co_return tl::make_unexpected("the system's bus cannot be reached");
    Reply reply(co_await asio::this_coro::executor);
    reply.come.expires_after(kReplyLimit);
    bus_->acted = true;
    bus_->cancelled = false;
    sd_bus_slot* slot = nullptr;
    // interactive = false: nobody is asked for a password; inhibitors are respected.
    int const sent = sd_bus_call_method_async(
        bus_->get(),
        &slot,
        kLogindService,
        kLogindPath,
        kLogindManager,
        member_of(method),
        on_reply,
        &reply,
        "b",
        0
    );
    if (sent < 0) {
        bus_->acted = false;
        co_return tl::make_unexpected(fmt::format("logind: {}", std::strerror(-sent)));
    }
    bus_->send_soon();
    awaited_ = &reply;
    co_await reply.come.async_wait(asio::as_tuple(asio::use_awaitable));
    awaited_ = nullptr;
    sd_bus_slot_unref(slot);
    if (!reply.result) {
        bus_->acted = false;
        // A logind that hangs would obey whenever it goes on, were the sender still there.
        bus_->lose("logind did not answer");
        co_return tl::make_unexpected(
            fmt::format("logind refused {}: {}", to_string(method), reply.result.error())
        );
    }
    co_return Result{};
}

} // namespace cpm::agent
