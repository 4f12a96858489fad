#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>

#include "cli/command.h"
#include "server/http_server.h"
#include "server/service.h"
#include "store/sqlite_store.h"

namespace prismvid::cli {
namespace {

struct ServeArguments {
  CommonOptions common;
  std::string listen = "127.0.0.1:8080";
  std::vector<std::filesystem::path> media;
};

void wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

void run_serve(const ServeArguments& arguments) {
  server::HttpServerOptions http;
  http.listen = server::parse_listen_address(arguments.listen);
  check(http.listen.is_loopback, ErrorCode::kInvalidArgument, "'", arguments.listen,
        "' can be reached from other machines, which needs API keys that this version has not: listen on "
        "127.0.0.1 and put a proxy with authentication in front");
  server::ServiceOptions options;
  options.database = arguments.common.database.empty() ? store::default_store_path() : arguments.common.database;
  options.models = arguments.common.models;
  options.media_roots = arguments.media;
  server::Service service(options);
  const server::HttpServer server(http, service);
  const bool six = http.listen.host.find(':') != std::string::npos;
  std::cout << "PrismVid listens on http://" << (six ? "[" : "") << http.listen.host << (six ? "]" : "") << ":"
            << server.port() << "/\n"
            << std::flush;
  wait_for(interrupted());
}

}  // namespace

void add_serve_command(CLI::App& app) {
  auto arguments = std::make_shared<ServeArguments>();
  CLI::App* command = app.add_subcommand("serve", "Answer over HTTP, with a page for the browser");
  command->add_option("--listen", arguments->listen, "Address and port; port 0 takes a free one")
      ->envname("PRISMVID_LISTEN")
      ->capture_default_str();
  command->add_option("--media", arguments->media, "Folders of videos that may be read; nothing outside them is")
      ->envname("PRISMVID_MEDIA")
      ->type_name("DIR...");
  add_common_options(*command, arguments->common);
  command->callback([arguments] { run_serve(*arguments); });
}

}  // namespace prismvid::cli
