#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "core/sha256.h"
#include "server/api_keys.h"
#include "store/service_store.h"
#include "store/open_store.h"

namespace prismvid::cli {
namespace {

using nlohmann::json;

struct KeysArguments {
  CommonOptions common;
  std::string name;
  std::string scope = "write";
};

std::unique_ptr<store::ServiceStore> open_service_store(const CommonOptions& common) {
  open_store(common);  // makes the database where there is none
  return store::open_service_store(common.database);
}

void create_key(const KeysArguments& arguments) {
  const std::string key = server::make_api_key();
  const auto record = open_service_store(arguments.common)->add_key(arguments.name, arguments.scope, sha256_hex(key));
  if (arguments.common.json())
    std::cout << json{{"id", record.id}, {"name", record.name}, {"scope", record.scope}, {"key", key}}.dump() << '\n';
  else
    std::cout << key << '\n';
  std::cerr << "prismvid: this key is shown once; 'prismvid keys revoke " << record.id << "' ends it\n";
}

void list_keys(const KeysArguments& arguments) {
  const auto keys = open_service_store(arguments.common)->keys();
  if (arguments.common.json()) {
    json list = json::array();
    for (const auto& key : keys)
      list.push_back({{"id", key.id}, {"name", key.name}, {"scope", key.scope}, {"created_at", key.created_at}, {"last_used_at", key.last_used_at}, {"revoked_at", key.revoked_at}});
    std::cout << list.dump(1, ' ', false, json::error_handler_t::replace) << '\n';
    return;
  }
  if (keys.empty()) std::cout << "No keys yet: 'prismvid keys create NAME' makes one.\n";
  for (const auto& key : keys)
    std::cout << std::left << std::setw(6) << key.id << ' ' << std::setw(6) << key.scope << ' ' << std::setw(24) << key.name << " made "
              << key.created_at << (key.last_used_at.empty() ? ", never used" : ", last used " + key.last_used_at)
              << (key.revoked_at.empty() ? "" : ", revoked " + key.revoked_at) << '\n';
}

void revoke_key(const KeysArguments& arguments) {
  check(open_service_store(arguments.common)->revoke_key(arguments.name), ErrorCode::kNotFound, "there is no key '", arguments.name,
        "' in force: 'prismvid keys list' shows all");
  std::cout << "revoked " << arguments.name << '\n';
}

CLI::App* add(CLI::App& keys, const std::shared_ptr<KeysArguments>& arguments, const char* name, const char* help,
              void (*run)(const KeysArguments&)) {
  CLI::App* command = keys.add_subcommand(name, help);
  add_common_options(*command, arguments->common);
  command->callback([arguments, run] { run(*arguments); });
  return command;
}

}  // namespace

void add_keys_command(CLI::App& app) {
  auto arguments = std::make_shared<KeysArguments>();
  CLI::App* keys = app.add_subcommand("keys", "API keys of 'prismvid serve'");
  keys->require_subcommand(1);
  CLI::App* create = add(*keys, arguments, "create", "Make a key and print it, once", create_key);
  create->add_option("name", arguments->name, "Whose it is, for the list")->required();
  create->add_option("--scope", arguments->scope, "read, write (also start and change), admin")
      ->check(CLI::IsMember({"read", "write", "admin"}))
      ->capture_default_str();
  add_format_option(*create, arguments->common);
  add_format_option(*add(*keys, arguments, "list", "All keys, without the keys themselves", list_keys), arguments->common);
  add(*keys, arguments, "revoke", "End a key", revoke_key)->add_option("key", arguments->name, "Its id, from the list")->required();
}

}  // namespace prismvid::cli
