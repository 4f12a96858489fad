#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>

#include "cli/command.h"
#include "server/http_server.h"
#include "server/service.h"
#include "server/workers.h"
#include "store/sqlite_store.h"

namespace prismvid::cli {
namespace {

struct ServeArguments {
  CommonOptions common;
  std::string listen = "127.0.0.1:8080";
  std::vector<std::filesystem::path> media;
  server::WorkerOptions workers;
};

void wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

std::filesystem::path database_of(const CommonOptions& common) {
  return common.database.empty() ? store::default_store_path() : common.database;
}

void add_worker_options(CLI::App& command, server::WorkerOptions& workers) {
  command.add_option("--workers", workers.count, "Jobs that run at once")
      ->envname("PRISMVID_WORKERS")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  command.add_option("--lease-ms", workers.lease_ms, "A worker that says nothing for so long is taken for dead, and its job over")
      ->check(CLI::Range(200, 3'600'000))
      ->capture_default_str();
}

void run_worker(ServeArguments arguments) {
  arguments.workers.database = database_of(arguments.common);
  arguments.workers.models = arguments.common.models;
  const server::MediaRoots media(arguments.media);
  server::SharedModels deep_models;
  const server::Workers workers(arguments.workers, media, deep_models);
  std::cout << "PrismVid works on the jobs of " << arguments.workers.database.string() << "\n" << std::flush;
  wait_for(interrupted());
}

void run_serve(const ServeArguments& arguments) {
  server::HttpServerOptions http;
  http.listen = server::parse_listen_address(arguments.listen);
  check(http.listen.is_loopback, ErrorCode::kInvalidArgument, "'", arguments.listen,
        "' can be reached from other machines, which needs API keys that this version has not: listen on "
        "127.0.0.1 and put a proxy with authentication in front");
  server::ServiceOptions options;
  options.database = database_of(arguments.common);
  options.models = arguments.common.models;
  options.media_roots = arguments.media;
  server::Context context(options);
  server::Service service(context);
  server::WorkerOptions worker_options = arguments.workers;
  worker_options.database = options.database;
  worker_options.models = options.models;
  const server::Workers workers(worker_options, context.media, context.deep_models);
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
  add_worker_options(*command, arguments->workers);
  add_common_options(*command, arguments->common);
  command->callback([arguments] { run_serve(*arguments); });
}

void add_worker_command(CLI::App& app) {
  auto arguments = std::make_shared<ServeArguments>();
  CLI::App* command = app.add_subcommand("worker", "Work on the jobs of a service in a process of its own");
  command->add_option("--media", arguments->media, "Folders of videos that may be read, as for 'serve'")
      ->envname("PRISMVID_MEDIA")
      ->type_name("DIR...");
  add_worker_options(*command, arguments->workers);
  add_common_options(*command, arguments->common);
  command->callback([arguments] { run_worker(*arguments); });
}

}  // namespace prismvid::cli
