#include "agent/findings.hpp"

namespace cpm::agent {
namespace {

constexpr std::size_t kKinds = 64;

} // namespace

void Findings::trouble(std::string text) {
    if (told_.contains(text) || told_.size() > kKinds)
        return;
    if (told_.size() == kKinds)
        text = "there are more kinds of trouble: they are not reported until all is well again";
    told_.insert(text);
    lines_.push_back(std::move(text));
}

} // namespace cpm::agent
