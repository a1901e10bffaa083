#include "agent/logind_machine.hpp"

#include "agent/files.hpp"
#include "agent/program.hpp"
#include "agent/wire.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

namespace cpm::agent {
namespace {

namespace asio = boost::asio;
using Result = tl::expected<void, std::string>;

constexpr auto kService = "org.freedesktop.login1";
constexpr auto kPath = "/org/freedesktop/login1";
constexpr auto kManager = "org.freedesktop.login1.Manager";
constexpr auto kSystemd = "org.freedesktop.systemd1";
constexpr auto kSystemdPath = "/org/freedesktop/systemd1";
constexpr auto kSystemdManager = "org.freedesktop.systemd1.Manager";
constexpr std::uint64_t kQuickLimit = 2'000'000; // µs
constexpr std::uint64_t kFirstLook = 100'000;    // µs
constexpr int kFirstLooks = 20;
constexpr std::string_view kNotAsked = "logind did not answer";
constexpr std::chrono::seconds kLook{5};
constexpr std::chrono::seconds kHooksLimit{24 * 3600};
constexpr auto kSystemctl = "/usr/bin/systemctl";

constexpr char const* member_of(OffMethod method) {
    switch (method) {
    case OffMethod::PowerOff: return "PowerOff";
    case OffMethod::Suspend: return "Suspend";
    case OffMethod::Hibernate: return "Hibernate";
    }
    return "";
}

/// Whether an inhibitor of these kinds ("shutdown:sleep:idle") keeps this machine up.
bool is_veto(std::string_view what, std::string_view mode) {
    return mode == "block" && (what.find("shutdown") != std::string_view::npos ||
                               what.find("sleep") != std::string_view::npos);
}

std::string error_text(sd_bus_message* reply) {
    auto const* error = sd_bus_message_get_error(reply);
    return error && error->message ? error->message : "no answer";
}

/// One call's answer, waited for by a coroutine.
struct Reply {
    explicit Reply(asio::any_io_executor const& executor)
        : come(executor) {}
    asio::steady_timer come;
    Result result = tl::make_unexpected(std::string("logind did not answer"));
};

int on_reply(sd_bus_message* message, void* data, sd_bus_error*) {
    auto& reply = *static_cast<Reply*>(data);
    if (sd_bus_message_is_method_error(message, nullptr))
        reply.result = tl::make_unexpected(error_text(message));
    else
        reply.result = Result{};
    reply.come.cancel();
    return 0;
}

} // namespace

/// The connection, and what came over it.
class LogindMachine::Bus : public std::enable_shared_from_this<Bus> {
  public:
    explicit Bus(asio::io_context& io)
        : io_(io)
        , timer_(io)
        , readable_(io) {}

    ~Bus() {
        readable_.release(); // sd-bus closes it
        close();
    }

    void open();
    void close();
    void look();
    void wait_for_first_look();
    void look_at_jobs();
    void delay_sleep();
    void release_sleep() {
        if (delay_ >= 0)
            ::close(std::exchange(delay_, -1));
    }

    sd_bus* get() const { return bus_; }

    std::string veto{kNotAsked};
    Leaving leaving = Leaving::No;
    bool acted = false;
    bool cancelled = false;

  private:
    static int on_inhibitors(sd_bus_message* reply, void* self, sd_bus_error*);
    static int on_sleep(sd_bus_message* signal, void* self, sd_bus_error*);
    static int on_shutdown(sd_bus_message* signal, void* self, sd_bus_error*);
    static int on_delay(sd_bus_message* reply, void* self, sd_bus_error*);
    void process();
    bool pump();
    void wait();
    void look_again();

    asio::io_context& io_;
    asio::steady_timer timer_;
    asio::posix::stream_descriptor readable_;
    sd_bus* bus_ = nullptr;
    int delay_ = -1; ///< while it is open a suspend waits some seconds for the goodbye
};

void LogindMachine::Bus::open() {
    if (sd_bus_open_system(&bus_) < 0) {
        veto = "the system's bus cannot be reached";
        return;
    }
    leaving = Leaving::No; // the end of a suspend may have been missed
    readable_.assign(sd_bus_get_fd(bus_));
    auto const listen = [&](char const* signal, sd_bus_message_handler_t handler) {
        sd_bus_match_signal_async(
            bus_, nullptr, kService, kPath, kManager, signal, handler, nullptr, this
        );
    };
    listen("PrepareForSleep", on_sleep);
    listen("PrepareForShutdown", on_shutdown);
    delay_sleep();
    look();
    wait();
}

void LogindMachine::Bus::close() {
    release_sleep();
    if (readable_.is_open())
        readable_.release();
    bus_ = sd_bus_close_unref(bus_);
}

/// Waits for what the bus has to say; one wait at a time.
void LogindMachine::Bus::wait() {
    readable_.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [weak = weak_from_this()](boost::system::error_code error) {
            auto const self = weak.lock();
            if (!error && self && self->bus_)
                self->process();
        }
    );
}

void LogindMachine::Bus::process() {
    if (pump())
        wait();
}

/// Takes in what has come; false: the connection broke.
bool LogindMachine::Bus::pump() {
    int more = 1;
    while (more > 0)
        more = sd_bus_process(bus_, nullptr);
    if (more >= 0) {
        sd_bus_flush(bus_);
        return true;
    }
    veto = "the connection to the system's bus broke";
    close();
    return false;
}

/// Waits for the first answer of logind, so that nothing but what it says is ever reported.
void LogindMachine::Bus::wait_for_first_look() {
    for (int i = 0; i < kFirstLooks && bus_ && veto == kNotAsked; ++i)
        if (sd_bus_wait(bus_, kFirstLook) < 0 || !pump())
            return;
}

void LogindMachine::Bus::look() {
    if (!bus_) {
        open(); // and looks, if it can
        if (bus_)
            return;
    } else if (pump()) { // also lets calls that nobody answers run out
        auto const* const asked = "ListInhibitors";
        int const sent = sd_bus_call_method_async(
            bus_, nullptr, kService, kPath, kManager, asked, on_inhibitors, this, ""
        );
        if (sent < 0)
            veto = "logind cannot be asked";
        sd_bus_flush(bus_);
    }
    look_again();
}

void LogindMachine::Bus::look_again() {
    timer_.expires_after(kLook);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        auto const self = weak.lock();
        if (!error && self)
            self->look();
    });
}

int LogindMachine::Bus::on_inhibitors(sd_bus_message* reply, void* self, sd_bus_error*) {
    auto& bus = *static_cast<Bus*>(self);
    if (sd_bus_message_is_method_error(reply, nullptr)) {
        bus.veto = plain_line("logind: " + error_text(reply));
        return 0;
    }
    std::string found;
    sd_bus_message_enter_container(reply, 'a', "(ssssuu)");
    char const* what = nullptr;
    char const* who = nullptr;
    char const* why = nullptr;
    char const* mode = nullptr;
    std::uint32_t user = 0;
    std::uint32_t process = 0;
    while (sd_bus_message_read(reply, "(ssssuu)", &what, &who, &why, &mode, &user, &process) > 0)
        if (found.empty() && is_veto(what, mode))
            found = plain_line(fmt::format("inhibited by {}: {}", who, why));
    bus.veto = found;
    return 0;
}

int LogindMachine::Bus::on_sleep(sd_bus_message* signal, void* self, sd_bus_error*) {
    auto& bus = *static_cast<Bus*>(self);
    int begins = 0;
    sd_bus_message_read(signal, "b", &begins);
    bus.leaving = begins ? Leaving::Suspend : Leaving::No;
    if (!begins) {
        bus.delay_sleep();
        // After a resume that counts this cancels nothing: the act was another identity's.
        bus.cancelled |= std::exchange(bus.acted, false);
    }
    return 0;
}

int LogindMachine::Bus::on_shutdown(sd_bus_message* signal, void* self, sd_bus_error*) {
    auto& bus = *static_cast<Bus*>(self);
    int begins = 0;
    sd_bus_message_read(signal, "b", &begins);
    if (!begins && std::exchange(bus.acted, false))
        bus.cancelled = true;
    return 0;
}

/// Asks that a suspend waits until the manager was told of it.
void LogindMachine::Bus::delay_sleep() {
    if (!bus_ || delay_ >= 0)
        return;
    sd_bus_call_method_async(
        bus_,
        nullptr,
        kService,
        kPath,
        kManager,
        "Inhibit",
        on_delay,
        this,
        "ssss",
        "sleep",
        "cpm-agent",
        "tells the manager that this machine is suspended",
        "delay"
    );
    sd_bus_flush(bus_);
}

int LogindMachine::Bus::on_delay(sd_bus_message* reply, void* self, sd_bus_error*) {
    int fd = -1;
    if (sd_bus_message_read(reply, "h", &fd) > 0 && fd >= 0) {
        auto& bus = *static_cast<Bus*>(self);
        bus.release_sleep();
        bus.delay_ = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    return 0;
}

/// Whether the system goes down, by the jobs that systemd has: the agent is being stopped, so this
/// may wait for the answer.
void LogindMachine::Bus::look_at_jobs() {
    if (!bus_)
        return;
    sd_bus_message* call = nullptr;
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_call(
        bus_, &call, kSystemd, kSystemdPath, kSystemdManager, "ListJobs"
    );
    if (sd_bus_call(bus_, call, kQuickLimit, nullptr, &reply) >= 0) {
        sd_bus_message_enter_container(reply, 'a', "(usssoo)");
        std::uint32_t id = 0;
        char const* unit = nullptr;
        char const* type = nullptr;
        char const* state = nullptr;
        char const* job = nullptr;
        char const* path = nullptr;
        while (sd_bus_message_read(reply, "(usssoo)", &id, &unit, &type, &state, &job, &path) > 0) {
            std::string_view const name = unit;
            if (std::string_view(type) != "start")
                continue;
            if (name == "reboot.target" || name == "kexec.target")
                leaving = Leaving::Reboot;
            else if (name == "poweroff.target" || name == "halt.target")
                leaving = Leaving::PowerOff;
        }
    }
    sd_bus_message_unref(reply);
    sd_bus_message_unref(call);
}

LogindMachine::LogindMachine(asio::io_context& io, MachineConfig config)
    : config_(std::move(config))
    , bus_(std::make_shared<Bus>(io)) {
    bus_->look();
    bus_->wait_for_first_look();
}

LogindMachine::~LogindMachine() = default;

std::string LogindMachine::blocked_by() {
    auto hold = read_hold(config_.hold_file);
    return hold.empty() ? bus_->veto : hold;
}

Leaving LogindMachine::leaving() {
    return bus_->leaving;
}

bool LogindMachine::take_cancelled() {
    return std::exchange(bus_->cancelled, false);
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
    // A little longer than sd-bus waits itself (25 s), which then makes an error of it.
    reply.come.expires_after(std::chrono::seconds(30));
    bus_->acted = true;
    bus_->cancelled = false;
    sd_bus_slot* slot = nullptr;
    // interactive = false: nobody is asked for a password; inhibitors are respected.
    int const sent = sd_bus_call_method_async(
        bus_->get(), &slot, kService, kPath, kManager, member_of(method), on_reply, &reply, "b", 0
    );
    if (sent < 0)
        co_return tl::make_unexpected(fmt::format("logind: {}", std::strerror(-sent)));
    sd_bus_flush(bus_->get());
    co_await reply.come.async_wait(asio::as_tuple(asio::use_awaitable));
    sd_bus_slot_unref(slot);
    if (!reply.result) {
        bus_->acted = false;
        // A logind that hangs would obey whenever it goes on, were the sender still there.
        bus_->close();
        bus_->veto = kNotAsked;
        co_return tl::make_unexpected(
            fmt::format("logind refused {}: {}", to_string(method), reply.result.error())
        );
    }
    co_return Result{};
}

} // namespace cpm::agent
