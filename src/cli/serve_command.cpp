#include <spdlog/spdlog.h>

#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>

#include "cli/command.h"
#include "cli/deep_options.h"
#include "cli/log_format.h"
#include "cli/settings.h"
#include "server/housekeeper.h"
#include "server/http_server.h"
#include "server/service.h"
#include "server/uploads.h"
#include "server/workers.h"
#include "store/service_store.h"
#include "store/open_store.h"

namespace prismvid::cli {
namespace {

struct ServeArguments {
  CommonOptions common;
  std::string listen = "127.0.0.1:8080";
  std::vector<std::filesystem::path> media;
  std::filesystem::path data;
  server::WorkerOptions workers;
  server::ServiceOptions service;
  double cache_gb = kDefaultCacheGb;
  std::string log = "text";
  std::string log_level = "warning";
};

void wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

std::filesystem::path uploads_of(const ServeArguments& arguments) {
  return arguments.data.empty() ? store::Address(arguments.common.database).uploads_folder() : std::filesystem::absolute(arguments.data);
}

void add_data_option(CLI::App& command, ServeArguments& arguments) {
  command.add_option("--data", arguments.data, "Folder of uploads and fetched files; of several machines a shared one, at the same path on each (default: beside the database file, or in your data folder)")
      ->type_name("DIR");
}

void add_log_options(CLI::App& command, ServeArguments& arguments) {
  command.add_option("--log", arguments.log, "text, or json: one object a line on standard error")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command.add_option("--log-level", arguments.log_level, "debug, info (every request and job), warning, error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
}

void add_worker_options(CLI::App& command, server::WorkerOptions& workers) {
  command.add_option("--workers", workers.count, "Jobs that run at once")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  command.add_option("--lease-ms", workers.lease_ms, "A worker that says nothing for so long is taken for dead, and its job over")
      ->check(CLI::Range(200, 3'600'000))
      ->capture_default_str();
  command.add_flag("--allow-private-urls", workers.allow_private_urls, "Also fetch URLs of this machine and its networks");
  command.add_option("--max-bytes", workers.most_fetched_bytes, "Largest upload or download")
      ->check(CLI::Range(int64_t{1}, INT64_MAX))
      ->capture_default_str();
}

void add_service_options(CLI::App& command, server::ServiceOptions& service) {
  command.add_flag("--require-key", service.needs_key, "Ask for an API key on this machine too");
  command.add_option("--rate", service.requests_per_second, "Requests a second of one client, with bursts of five seconds' worth; 0 for no limit")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command.add_option("--max-jobs", service.most_queued_jobs, "Jobs that may wait; more are refused")->check(CLI::Range(1, 10'000'000))->capture_default_str();
  command.add_option("--keep-jobs", service.kept_jobs, "Ended jobs that are remembered; results stay in any case")
      ->check(CLI::Range(0, 10'000'000))
      ->capture_default_str();
  command.add_option("--keep-jobs-days", service.kept_job_days, "Ended jobs are forgotten after so many days")
      ->check(CLI::Range(0, 36'500))
      ->capture_default_str();
}

void start_logging(const ServeArguments& arguments) {
  set_log_format(arguments.log);
  spdlog::set_level(spdlog::level::from_str(arguments.log_level));
}

void run_worker(ServeArguments arguments) {
  start_logging(arguments);
  arguments.workers.database = arguments.common.database;
  arguments.workers.uploads = uploads_of(arguments);
  arguments.workers.models = arguments.common.models;
  store::open_store(arguments.workers.database);
  server::MediaRoots media(arguments.media);
  std::filesystem::create_directories(arguments.workers.uploads);
  media.add(arguments.workers.uploads);
  server::SharedModels deep_models(arguments.service.kv_bits, open_kept_files(arguments.common, arguments.cache_gb));
  const server::Workers workers(arguments.workers, media, deep_models);
  std::cout << "PrismVid works on the jobs of " << arguments.workers.database.shown() << "\n" << std::flush;
  wait_for(interrupted());
}

/// Whether anybody could get in from elsewhere.
bool has_key(const store::Address& database) {
  store::open_store(database);
  for (const store::ApiKeyRecord& key : store::open_service_store(database)->keys())
    if (key.revoked_at.empty()) return true;
  return false;
}

void run_serve(const ServeArguments& arguments) {
  server::HttpServerOptions http;
  start_logging(arguments);
  http.listen = server::parse_listen_address(arguments.listen);
  server::ServiceOptions options = arguments.service;
  options.database = arguments.common.database;
  options.uploads = uploads_of(arguments);
  options.is_loopback = http.listen.is_loopback;
  options.allow_private_urls = arguments.workers.allow_private_urls;
  options.most_upload_bytes = arguments.workers.most_fetched_bytes;
  check(http.listen.is_loopback || has_key(options.database), ErrorCode::kInvalidArgument, "'", arguments.listen,
        "' can be reached from other machines, which needs an API key: make one with 'prismvid keys create NAME'");
  options.models = arguments.common.models;
  options.kept = open_kept_files(arguments.common, arguments.cache_gb);
  options.media_roots = arguments.media;
  server::Context context(options);
  server::Service service(context);
  server::WorkerOptions worker_options = arguments.workers;
  worker_options.database = options.database;
  worker_options.uploads = options.uploads;
  worker_options.models = options.models;
  const server::Workers workers(worker_options, context.media, context.deep_models);
  const server::Housekeeper housekeeper(context);
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
      ->capture_default_str();
  command->add_option("--media", arguments->media, "Folders of videos that may be read; nothing outside them is")
      ->type_name("DIR...");
  add_service_options(*command, arguments->service);
  add_data_option(*command, *arguments);
  add_kv_bits(*command, arguments->service.kv_bits);
  add_cache_size(*command, arguments->cache_gb);
  add_worker_options(*command, arguments->workers);
  add_log_options(*command, *arguments);
  add_common_options(*command, arguments->common);
  add_settings(*command);
  command->callback([arguments] { run_serve(*arguments); });
}

void add_worker_command(CLI::App& app) {
  auto arguments = std::make_shared<ServeArguments>();
  CLI::App* command = app.add_subcommand("worker", "Work on the jobs of a service in a process of its own");
  command->add_option("--media", arguments->media, "Folders of videos that may be read, as for 'serve'")
      ->type_name("DIR...");
  add_data_option(*command, *arguments);
  add_kv_bits(*command, arguments->service.kv_bits);
  add_cache_size(*command, arguments->cache_gb);
  add_worker_options(*command, arguments->workers);
  add_log_options(*command, *arguments);
  add_common_options(*command, arguments->common);
  add_settings(*command);
  command->callback([arguments] { run_worker(*arguments); });
}

}  // namespace prismvid::cli
