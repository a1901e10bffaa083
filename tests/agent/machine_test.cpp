// What the agent sees and runs of the machine it is on.
#include "agent/hooks.hpp"
#include "agent/machine.hpp"
#include "agent/program.hpp"
#include "agent/url.hpp"
#include "tests/agent/files.hpp"
#include "tests/support/skip.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace cpm::agent;
using namespace cpm::agent::test;
using std::chrono::seconds;
namespace fs = std::filesystem;

namespace {

template <class T>
T await(boost::asio::io_context& io, boost::asio::awaitable<T> work) {
    auto result = boost::asio::co_spawn(io, std::move(work), boost::asio::use_future);
    io.restart();
    io.run();
    return result.get();
}

template <class T>
T await(boost::asio::awaitable<T> work) {
    boost::asio::io_context io(1);
    return await(io, std::move(work));
}

} // namespace

TEST_CASE("machine: a hold that cannot be read is a hold, one that is not there is none (4)") {
    Folder folder;
    auto const hold = folder.path / "hold";
    CHECK(read_hold(hold).empty());
    CHECK(read_hold("/etc/hostname/hold").empty());
    write(hold, "until noon\nsecond line\n");
    CHECK(read_hold(hold) == "hold: until noon");
    write(hold, "");
    CHECK(read_hold(hold) == "hold: ");
    fs::remove(hold);
    fs::create_symlink(folder.path / "nowhere", hold);
    CHECK(read_hold(hold).starts_with("hold: "));
    fs::remove(hold);
    fs::create_symlink(hold, hold);
    CHECK(read_hold(hold).starts_with("hold: "));
    fs::remove(hold);
    fs::create_directory(hold);
    CHECK(read_hold(hold).starts_with("hold: "));
}

TEST_CASE("url: only what stays on this machine is loopback") {
    for (auto const* host : {"127.0.0.1", "127.8.9.10", "::1", "localhost"})
        CHECK(Url{.secure = false, .host = host}.is_loopback());
    for (auto const* host :
         {"127.evil.com",
          "127.0.0.1.evil.com",
          "127.1",
          "localhost.evil.com",
          "10.127.0.1",
          "::2",
          "fe80::1",
          "128.0.0.1"})
        CHECK_FALSE(Url{.secure = false, .host = host}.is_loopback());
}

TEST_CASE("hooks: what others than root may change is not run, and a required one has failed (4)") {
    if (::geteuid() != 0)
        return test_support::skip("hooks belong to root");
    Folder folder;
    auto const ran = folder.path / "ran";
    auto const hooks = folder.path / "hooks";
    fs::create_directory(hooks);
    fs::permissions(hooks, fs::perms(0755));
    auto const run = [&] {
        fs::remove(ran);
        return await(run_hooks(hooks, seconds(30)));
    };
    write_script(hooks / "10-mine", "echo 10 >> " + ran.string());
    write_script(hooks / "20-open", "echo 20 >> " + ran.string());
    write_script(hooks / "30-given", "echo 30 >> " + ran.string());
    fs::permissions(hooks / "20-open", fs::perms(0775));
    REQUIRE(::chown((hooks / "30-given").c_str(), 1234, 1234) == 0);
    auto const some = run();
    CHECK(read(ran) == "10\n");
    CHECK(some.failed.empty());
    CHECK(some.report.size() == 2);

    fs::rename(hooks / "20-open", hooks / "20-open.required");
    CHECK(run().failed == "20-open.required");

    fs::permissions(hooks / "20-open.required", fs::perms(0755));
    fs::permissions(hooks, fs::perms(0777));
    auto const none = run();
    CHECK_FALSE(fs::exists(ran));
    CHECK(none.failed == "20-open.required");

    CHECK(await(run_hooks(folder.path / "nowhere", seconds(30))).report.empty());
}

TEST_CASE("program: its end is seen also where no descriptor of it can be had") {
    boost::asio::io_context io(1);
    (void)await(io, run_program({"/bin/true"}, {}, seconds(30))); // what asio opens is open
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    int const next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(next);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    int ticks = 0;
    boost::asio::steady_timer timer(io, std::chrono::milliseconds(50));
    timer.async_wait([&](boost::system::error_code) { ++ticks; });
    auto const fine = await(io, run_program({"/bin/sleep", "1"}, {}, seconds(30)));
    auto const fails = await(io, run_program({"/bin/false"}, {}, seconds(30)));
    auto const hangs = await(io, run_program({"/bin/sleep", "100"}, {}, seconds(1)));
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(fine.has_value());
    CHECK(ticks == 1); // nothing stood still meanwhile
    REQUIRE_FALSE(fails.has_value());
    CHECK(fails.error() == "exit status 1");
    REQUIRE_FALSE(hangs.has_value());
    CHECK(hangs.error() == "took longer than 1 s");
}

TEST_CASE("machine: a power command that others than root may change is not run") {
    if (::geteuid() != 0)
        return test_support::skip("a power command belongs to root");
    Folder folder;
    auto const power = folder.path / "power";
    write_script(power, "touch " + (folder.path / "acted").string());
    CommandMachine machine({.power_command = {power.string()}});
    fs::permissions(power, fs::perms(0757));
    auto const refused = await(machine.go_down(OffMethod::PowerOff));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().find("must belong to root") != std::string::npos);
    CHECK_FALSE(fs::exists(folder.path / "acted"));
    fs::permissions(power, fs::perms(0755));
    CHECK(await(machine.go_down(OffMethod::PowerOff)).has_value());
    CHECK(fs::exists(folder.path / "acted"));
}

TEST_CASE("machine: that an act of an agent before came to nothing is told once, in the end (4)") {
    CommandMachine patient({.power_command = {"/bin/true"}, .act_limit = seconds(3600)});
    CHECK_FALSE(patient.take_cancelled());
    patient.acted_before();
    CHECK_FALSE(patient.take_cancelled());
    CommandMachine machine({.power_command = {"/bin/true"}, .act_limit = seconds(0)});
    machine.acted_before();
    CHECK(machine.take_cancelled());
    CHECK_FALSE(machine.take_cancelled());
}
