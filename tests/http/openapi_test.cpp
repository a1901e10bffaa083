// The route table and http/openapi.yaml say the same: which routes there are, and who may call.
#include "http/openapi.hpp"
#include "http/problem.hpp"
#include "http/route.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

using namespace cpm::http;
namespace json = boost::json;

namespace {

std::string word(Access access) {
    switch (access) {
    case Access::Anyone: return "anyone";
    case Access::Viewer: return "viewer";
    case Access::Operator: return "operator";
    case Access::Admin: return "admin";
    case Access::Agent: return "agent";
    case Access::Joining: return "joining";
    }
    return "";
}

json::object document() {
    return json::parse(openapi_json()).as_object();
}

/// Each operation of the document by "GET /path".
std::map<std::string, json::object> operations() {
    std::map<std::string, json::object> all;
    auto const document_ = document();
    for (auto const& [path, item] : document_.at("paths").as_object())
        for (auto const method :
             {Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete}) {
            std::string name(to_string(method));
            std::ranges::transform(name, name.begin(), [](char c) {
                return static_cast<char>(c - 'A' + 'a');
            });
            if (auto const* operation = item.as_object().if_contains(name)) {
                auto merged = operation->as_object();
                if (auto const* shared = item.as_object().if_contains("parameters"))
                    merged["shared"] = *shared;
                all[std::string(to_string(method)) + " " + std::string(path)] = std::move(merged);
            }
        }
    return all;
}

std::string name_of(Route const& route) {
    return std::string(to_string(route.method)) + " " + std::string(route.pattern);
}

/// What the credentials of an operation are, sorted: "session token", "agent", "".
std::string credentials(json::object const& operation) {
    std::set<std::string> names;
    for (auto const& way : operation.at("security").as_array())
        for (auto const& [name, scopes] : way.as_object())
            names.emplace(name);
    std::string text;
    for (auto const& name : names)
        text += (text.empty() ? "" : " ") + name;
    return text;
}

} // namespace

TEST_CASE("openapi: every route is described, and nothing else (3)") {
    std::set<std::string> served;
    for (auto const& route : routes())
        CHECK_MESSAGE(served.insert(name_of(route)).second, name_of(route), " stands there twice");
    std::set<std::string> described;
    for (auto const& [name, operation] : operations())
        described.insert(name);
    CHECK(served == described);
}

TEST_CASE("openapi: who may call a route is what the table says (3.5)") {
    auto const described = operations();
    for (auto const& route : routes()) {
        auto const& operation = described.at(name_of(route));
        INFO(name_of(route));
        CHECK(std::string(operation.at("x-access").as_string()) == word(route.access));
        bool const is_peoples = route.access == Access::Viewer ||
                                route.access == Access::Operator || route.access == Access::Admin;
        auto const* expected = is_peoples                      ? "session token"
                               : route.access == Access::Agent ? "agent"
                                                               : "";
        CHECK(credentials(operation) == expected);
    }
}

TEST_CASE("openapi: every change of a person and every join takes an Idempotency-Key (3.1)") {
    auto const described = operations();
    for (auto const& route : routes()) {
        auto const name = name_of(route);
        // Of what agents ask, a new token alone must not be given twice; and a trial changes
        // nothing.
        bool const is_agents = route.access == Access::Agent && name != "POST /agent/v1/token";
        bool const is_trial = name == "POST /api/v1/webhooks/{id}/test";
        auto const text = json::serialize(described.at(name));
        bool const has_key = text.find("parameters/IdempotencyKey") != std::string::npos;
        bool const changes = route.method != Method::Get && !is_trial;
        CHECK_MESSAGE(has_key == (changes && !is_agents), name);
    }
}

TEST_CASE("openapi: a path's {…} is a parameter of it, and a body is there where one is read") {
    auto const described = operations();
    std::set<std::string> ids;
    for (auto const& route : routes()) {
        INFO(name_of(route));
        auto const& operation = described.at(name_of(route));
        bool const has_id = route.pattern.find('{') != std::string_view::npos;
        CHECK(operation.contains("shared") == has_id);
        CHECK(ids.emplace(operation.at("operationId").as_string()).second);
        if (route.method == Method::Put || route.method == Method::Patch)
            CHECK(operation.contains("requestBody"));
        // What the door answers to any request is the same everywhere.
        CHECK(operation.at("responses").as_object().size() > 1);
        CHECK(
            json::serialize(operation.at("responses").at("default")) ==
            R"({"$ref":"#/components/responses/Problem"})"
        );
    }
}

TEST_CASE("openapi: every type of a problem is in the document (3.1)") {
    json::value const described = document();
    std::set<std::string> types;
    for (auto const& type :
         described.at_pointer("/components/schemas/Problem/properties/type/enum").as_array())
        types.emplace(type.as_string());
    for (int code = 0; code <= static_cast<int>(cpm::core::ErrorCode::Confirm); ++code) {
        auto const& kind = problem_kind(static_cast<cpm::core::ErrorCode>(code));
        CHECK_MESSAGE(types.contains(std::string(kind.type)), kind.type);
    }
}
