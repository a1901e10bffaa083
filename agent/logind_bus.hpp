#pragma once

#include "agent/values.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>
#include <systemd/sd-bus.h>
#include <unistd.h>
#include <utility>

namespace cpm::agent {

inline constexpr auto kLogindService = "org.freedesktop.login1";
inline constexpr auto kLogindPath = "/org/freedesktop/login1";
inline constexpr auto kLogindManager = "org.freedesktop.login1.Manager";

/// The connection to the system's bus, and what logind said over it.
///
/// Operation: its inhibitors are asked for every 5 s, the connection is made again when it broke.
/// Its signals count only from the very name that answers these questions: anybody on the bus may
/// send one. What cannot be read is a veto. Concurrency: the thread of the io_context; nothing
/// blocks but wait_for_first_look (2 s) and look_at_jobs (2 s).
class LogindBus : public std::enable_shared_from_this<LogindBus> {
  public:
    explicit LogindBus(boost::asio::io_context& io)
        : io_(io)
        , timer_(io)
        , readable_(io)
        , writable_(io) {}
    LogindBus(LogindBus const&) = delete;
    LogindBus& operator=(LogindBus const&) = delete;
    ~LogindBus() { close(); }

    /// Asks now, and from now on.
    void look();
    void wait_for_first_look();
    /// Whether the system goes down, by the jobs that systemd has, to `leaving`.
    void look_at_jobs();
    /// It was told to act by a process before this one, or while nobody listened: whether the
    /// machine still goes down is asked until it is known, and `cancelled` if it does not.
    void doubt_act();
    /// The end of the connection, and of what was asked over it.
    void lose(std::string why);
    void release_sleep() {
        if (delay_ >= 0)
            ::close(std::exchange(delay_, -1));
    }
    /// What was sent leaves as soon as the bus takes it.
    void send_soon();

    sd_bus* get() const { return bus_; }

    /// Against each way down; empty: none.
    std::string veto{"logind did not answer"};
    std::string sleep_veto; ///< against suspend and hibernation alone
    Leaving leaving = Leaving::No;
    bool acted = false; ///< it was told to act, and did not take it back yet
    bool cancelled = false;

  private:
    static int on_inhibitors(sd_bus_message* reply, void* self, sd_bus_error*);
    static int on_sleep(sd_bus_message* signal, void* self, sd_bus_error*);
    static int on_shutdown(sd_bus_message* signal, void* self, sd_bus_error*);
    static int on_preparing_shutdown(sd_bus_message* reply, void* self, sd_bus_error*);
    static int on_preparing_sleep(sd_bus_message* reply, void* self, sd_bus_error*);
    static int on_delay(sd_bus_message* reply, void* self, sd_bus_error*);
    void open();
    void close();
    bool pump();
    void wait_to_read();
    void look_again();
    void delay_sleep();
    void ask_preparing(char const* property, sd_bus_message_handler_t handler);
    void read_inhibitors(sd_bus_message* reply);
    bool is_from_logind(sd_bus_message* signal) const;

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    boost::asio::posix::stream_descriptor readable_;
    boost::asio::posix::stream_descriptor writable_; ///< the same socket, once more
    sd_bus* bus_ = nullptr;
    std::string logind_; ///< its unique name on the bus; empty: not known yet
    bool doubts_act_ = false;
    int delay_ = -1; ///< while it is open a suspend waits some seconds for the goodbye
};

} // namespace cpm::agent
