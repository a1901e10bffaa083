// bench_heartbeats PORT SECONDS <TOKENS: one agent a line of standard input, each on a connection
// of its own, reporting again as soon as it was answered. Prints heartbeats a second, and the time
// to an answer: median and 99th percentile in milliseconds.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

class Agent {
  public:
    Agent(std::uint16_t port, std::string token, std::size_t number)
        : token_(std::move(token))
        , boot_(fmt::format("00000000-0000-4000-8000-{:012x}", number))
        , host_(fmt::format("127.0.0.1:{}", port))
        , socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    ~Agent() { ::close(socket_); }
    Agent(Agent const&) = delete;
    Agent& operator=(Agent const&) = delete;

    /// One report; whether it was acknowledged.
    bool report() {
        auto const body = fmt::format(
            R"({{"status":"ON","boot_id":"{}","resume_count":0,"report":{}}})", boot_, ++number_
        );
        auto const request = fmt::format(
            "POST /agent/v1/heartbeat HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n"
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            host_,
            token_,
            body.size(),
            body
        );
        auto const sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
        return connected_ && sent == static_cast<ssize_t>(request.size()) && read_answer();
    }

  private:
    bool read_answer() {
        std::string answer;
        std::size_t whole = std::string::npos;
        while (answer.size() < whole) {
            char chunk[4096];
            auto const got = ::recv(socket_, chunk, sizeof chunk, 0);
            if (got <= 0)
                return false;
            answer.append(chunk, static_cast<std::size_t>(got));
            auto const head = answer.find("\r\n\r\n");
            auto const length = answer.find("Content-Length: ");
            if (head != std::string::npos && length < head)
                whole = head + 4 + std::strtoul(&answer[length + 16], nullptr, 10);
        }
        return answer.starts_with("HTTP/1.1 200");
    }

    std::string token_;
    std::string boot_;
    std::string host_;
    int socket_;
    bool connected_ = false;
    std::uint64_t number_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 3)
        return 2;
    auto const port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    auto const end = Clock::now() + std::chrono::seconds(std::atoi(argv[2]));
    std::mutex mutex;
    std::vector<double> all;
    std::vector<std::jthread> threads;
    auto const live = [&](std::string const& token, std::size_t number) {
        Agent agent(port, token, number);
        std::vector<double> times;
        while (Clock::now() < end) {
            auto const began = Clock::now();
            if (!agent.report())
                break;
            times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count()
            );
        }
        std::lock_guard const lock(mutex);
        all.insert(all.end(), times.begin(), times.end());
    };
    for (std::string token; std::getline(std::cin, token);)
        threads.emplace_back(live, token, threads.size());
    threads.clear();
    if (all.empty())
        return 1;
    std::sort(all.begin(), all.end());
    fmt::print(
        "{:.0f} {:.2f} {:.2f}\n",
        static_cast<double>(all.size()) / std::atoi(argv[2]),
        all[all.size() / 2],
        all[all.size() * 99 / 100]
    );
    return 0;
}
