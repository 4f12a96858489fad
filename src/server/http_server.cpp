#include "server/http_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace prismvid::server {
namespace {

/// A body that is refused is read on for this long, so that the client gets to see why.
constexpr int64_t kDiscardedBytes = 16 << 20;
constexpr size_t kStreamBlock = 16 << 10;
constexpr size_t kThreadStackBytes = 1 << 20;
constexpr size_t kFormBlock = 64 << 10;

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// One request from its first header to the last byte of its answer.
struct Exchange {
  Request request;
  int64_t received = 0;
  std::unique_ptr<Error> problem;  // found while the body came
  MHD_PostProcessor* form = nullptr;

  ~Exchange() {
    if (form) MHD_destroy_post_processor(form);
  }

  /// Runs what takes the body; its failure is told when the body is there.
  template <typename Take>
  void guard(Take take) {
    try {
      take();
    } catch (const HttpError& error) {
      problem = std::make_unique<HttpError>(error);
    } catch (const Error& error) {
      problem = std::make_unique<Error>(error);
    }
  }
};

MHD_Result take_form(void* state, MHD_ValueKind, const char* name, const char* file, const char*,
                     const char*, const char* bytes, uint64_t offset, size_t count) {
  auto& exchange = *static_cast<Exchange*>(state);
  if (exchange.problem) return MHD_YES;
  exchange.guard([&] {
    exchange.request.plan.form->part(name ? name : "", file ? file : "", offset, bytes, count);
  });
  return MHD_YES;
}

MHD_Result take_query(void* fields, MHD_ValueKind, const char* key, size_t key_size,
                      const char* value, size_t value_size) {
  static_cast<Fields*>(fields)->emplace_back(std::string(key, key_size),
                                             value ? std::string(value, value_size) : "");
  return MHD_YES;
}

/// The headers of a request, and what is wrong with them.
struct HeaderReader {
  std::map<std::string, std::string>& headers;
  bool two_lengths = false;  // that differ

  void check_framing() const {
    // A proxy that reads the other length, or the other way to tell where the body ends, would take
    // the rest of it for somebody else's request.
    if (two_lengths)
      throw HttpError(400, "two_lengths", "the request has two different Content-Length headers: send one");
    if (headers.contains("content-length") && headers.contains("transfer-encoding"))
      throw HttpError(400, "two_lengths", "the request has Content-Length and Transfer-Encoding: send one of them");
  }
};

MHD_Result take_header(void* reader, MHD_ValueKind, const char* key, size_t key_size,
                       const char* value, size_t value_size) {
  auto& [headers, two_lengths] = *static_cast<HeaderReader*>(reader);
  const std::string name = lower_case(std::string(key, key_size));
  const std::string text = value ? std::string(value, value_size) : "";
  const auto known = headers.find(name);
  if (name == "content-length" && known != headers.end() && known->second != text) two_lengths = true;
  headers[name] = text;
  return MHD_YES;
}

std::string client_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  char text[INET6_ADDRSTRLEN] = "";
  if (info && info->client_addr->sa_family == AF_INET) {
    const auto* address = reinterpret_cast<const sockaddr_in*>(info->client_addr);
    ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
  } else if (info && info->client_addr->sa_family == AF_INET6) {
    const auto* address = reinterpret_cast<const sockaddr_in6*>(info->client_addr);
    ::inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof text);
  }
  return text;
}

bool has_hung_up(int descriptor) {
  pollfd watched{descriptor, 0, 0};
#ifdef POLLRDHUP
  watched.events = POLLRDHUP;
#endif
  return ::poll(&watched, 1, 0) > 0;
}

/// What is left of a stream's last piece.
struct StreamReader {
  Stream next;
  std::string piece;
  size_t sent = 0;
};

ssize_t read_stream(void* state, uint64_t, char* out, size_t most) {
  auto& reader = *static_cast<StreamReader*>(state);
  try {
    while (reader.sent == reader.piece.size()) {
      auto piece = reader.next();
      if (!piece) return MHD_CONTENT_READER_END_OF_STREAM;
      reader.piece = std::move(*piece);
      reader.sent = 0;
    }
  } catch (const std::exception&) {
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  const size_t count = std::min(most, reader.piece.size() - reader.sent);
  std::memcpy(out, reader.piece.data() + reader.sent, count);
  reader.sent += count;
  return static_cast<ssize_t>(count);
}

void free_stream(void* state) {
  delete static_cast<StreamReader*>(state);
}

MHD_Response* make_body(Response& response) {
  if (auto* text = std::get_if<std::string>(&response.body))
    return MHD_create_response_from_buffer(text->size(), text->data(), MHD_RESPMEM_MUST_COPY);
  if (const auto* part = std::get_if<FilePart>(&response.body))
    return MHD_create_response_from_fd_at_offset64(static_cast<uint64_t>(part->bytes),
                                                   part->descriptor,
                                                   static_cast<uint64_t>(part->offset));
  return MHD_create_response_from_callback(
      MHD_SIZE_UNKNOWN, kStreamBlock, read_stream,
      new StreamReader{std::move(std::get<Stream>(response.body)), {}, 0}, free_stream);
}

MHD_Result send(MHD_Connection* connection, Response response) {
  MHD_Response* body = make_body(response);
  if (!body) return MHD_NO;
  if (!response.content_type.empty())
    MHD_add_response_header(body, "Content-Type", response.content_type.c_str());
  for (const auto& [name, value] : response.headers)
    MHD_add_response_header(body, name.c_str(), value.c_str());
  const MHD_Result result =
      MHD_queue_response(connection, static_cast<unsigned>(response.status), body);
  MHD_destroy_response(body);
  return result;
}

}  // namespace

struct HttpServer::State {
  Handler& handler;
  std::stop_source stop;
  std::atomic<uint64_t> requests{0};
  MHD_Daemon* daemon = nullptr;

  explicit State(Handler& given) : handler(given) {}

  MHD_Result fail(MHD_Connection* connection, Exchange& exchange, const Error& error) {
    Response response = error_response(error);
    handler.finish(exchange.request, response);
    return send(connection, std::move(response));
  }

  /// The headers are there.
  MHD_Result begin(MHD_Connection* connection, const char* url, const char* method,
                   Exchange& exchange) {
    Request& request = exchange.request;
    request.id = "r_" + std::to_string(++requests);
    request.method = std::string(method) == "HEAD" ? "GET" : method;
    request.path = url;
    request.client = client_of(connection);
    request.stop = stop.get_token();
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, take_query, &request.query);
    HeaderReader reader{request.headers};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_header, &reader);
    const int descriptor =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    request.is_gone = [descriptor] { return has_hung_up(descriptor); };
    try {
      reader.check_framing();
    } catch (const HttpError& error) {
      return fail(connection, exchange, error);  // nothing behind these headers can be trusted
    }
    exchange.guard([&] {
      request.plan = handler.begin(request);
      check_length(request, request.plan);
      if (request.plan.form) {
        exchange.form = MHD_create_post_processor(connection, kFormBlock, take_form, &exchange);
        if (!exchange.form) throw HttpError(400, "invalid_form", "the multipart body has no boundary");
      }
    });
    if (exchange.problem && !can_be_read_on(request)) return fail(connection, exchange, *exchange.problem);
    return MHD_YES;
  }

  /// Whether a refused request ends where the connection can go on behind it: its body, if it has
  /// one, is on its way and short. Whoever asks first (Expect) is told before sending.
  static bool can_be_read_on(const Request& request) {
    if (request.headers.contains("transfer-encoding") || request.headers.contains("expect")) return false;
    return std::strtoull(request.header("content-length").c_str(), nullptr, 10) <= kDiscardedBytes;
  }

  static void check_length(const Request& request, const BodyPlan& plan) {
    const std::string length = request.header("content-length");
    if (length.empty()) return;
    if (std::strtoull(length.c_str(), nullptr, 10) > static_cast<uint64_t>(plan.max_bytes))
      throw too_large(plan);
  }

  static HttpError too_large(const BodyPlan& plan) {
    if (plan.max_bytes == 0) return HttpError(413, "body_not_expected", "this request takes no body");
    return HttpError(413, "too_large",
                     "the body is too large: at most " + std::to_string(plan.max_bytes) + " bytes");
  }

  MHD_Result receive(Exchange& exchange, const char* bytes, size_t count) {
    exchange.received += static_cast<int64_t>(count);
    const BodyPlan& plan = exchange.request.plan;
    if (exchange.received > plan.max_bytes) {
      if (!exchange.problem) exchange.problem = std::make_unique<HttpError>(too_large(plan));
      return exchange.received > plan.max_bytes + kDiscardedBytes ? MHD_NO : MHD_YES;
    }
    if (exchange.problem) return MHD_YES;
    if (exchange.form) {
      if (MHD_post_process(exchange.form, bytes, count) == MHD_NO && !exchange.problem)
        exchange.problem = std::make_unique<HttpError>(400, "invalid_form", "the multipart body is damaged");
      return MHD_YES;
    }
    exchange.guard([&] {
      if (plan.sink)
        plan.sink->write(bytes, count);
      else
        exchange.request.body.append(bytes, count);
    });
    return MHD_YES;
  }

  MHD_Result answer(MHD_Connection* connection, Exchange& exchange) {
    if (exchange.problem) return fail(connection, exchange, *exchange.problem);
    Response response = handler.answer(exchange.request);
    handler.finish(exchange.request, response);
    return send(connection, std::move(response));
  }

  static MHD_Result on_access(void* self, MHD_Connection* connection, const char* url,
                              const char* method, const char*, const char* bytes, size_t* count,
                              void** exchange) {
    auto& state = *static_cast<State*>(self);
    if (!*exchange) {
      *exchange = new Exchange;
      return state.begin(connection, url, method, *static_cast<Exchange*>(*exchange));
    }
    auto& known = *static_cast<Exchange*>(*exchange);
    if (*count == 0) return state.answer(connection, known);
    const size_t given = *count;
    *count = 0;
    return state.receive(known, bytes, given);
  }

  static void on_completed(void*, MHD_Connection*, void** exchange, MHD_RequestTerminationCode) {
    delete static_cast<Exchange*>(*exchange);
    *exchange = nullptr;
  }
};

HttpServer::HttpServer(const HttpServerOptions& options, Handler& handler)
    : state_(std::make_unique<State>(handler)) {
  std::signal(SIGPIPE, SIG_IGN);
  const bool six = options.listen.host.find(':') != std::string::npos;
  sockaddr_in four_address{};
  four_address.sin_family = AF_INET;
  four_address.sin_port = htons(options.listen.port);
  sockaddr_in6 six_address{};
  six_address.sin6_family = AF_INET6;
  six_address.sin6_port = htons(options.listen.port);
  ::inet_pton(six ? AF_INET6 : AF_INET, options.listen.host.c_str(),
              six ? static_cast<void*>(&six_address.sin6_addr) : &four_address.sin_addr);
  const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                         MHD_USE_POLL | MHD_USE_ITC | (six ? unsigned{MHD_USE_IPv6} : 0u);
  errno = 0;
  state_->daemon = MHD_start_daemon(
      flags, options.listen.port, nullptr, nullptr, &State::on_access, state_.get(),
      MHD_OPTION_SOCK_ADDR,
      six ? reinterpret_cast<sockaddr*>(&six_address) : reinterpret_cast<sockaddr*>(&four_address),
      MHD_OPTION_NOTIFY_COMPLETED, &State::on_completed, nullptr,  //
      MHD_OPTION_CONNECTION_TIMEOUT, options.idle_timeout_seconds,  //
      MHD_OPTION_CONNECTION_LIMIT, options.most_connections,        //
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, options.most_connections_of_one_client,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, size_t{64 << 10},  //
      MHD_OPTION_THREAD_STACK_SIZE, kThreadStackBytes,       //
      MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,                  //
      MHD_OPTION_END);
  check(state_->daemon, ErrorCode::kUnavailable, "cannot listen on ", options.listen.host, ":",
        options.listen.port, ": ", std::strerror(errno), "; choose another address with --listen");
}

HttpServer::~HttpServer() {
  state_->stop.request_stop();
  MHD_stop_daemon(state_->daemon);
}

uint16_t HttpServer::port() const {
  const auto* info = MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info ? info->port : 0;
}

ListenAddress parse_listen_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      port.find_first_not_of("0123456789") == std::string::npos;
  const int number = digits ? std::stoi(port) : -1;
  in_addr four{};
  in6_addr six{};
  const bool is_four = ::inet_pton(AF_INET, host.c_str(), &four) == 1;
  const bool is_six = !is_four && ::inet_pton(AF_INET6, host.c_str(), &six) == 1;
  check(number >= 0 && number <= 65535 && (is_four || is_six), ErrorCode::kInvalidArgument,
        "cannot listen on '", text, "': give an address and a port, such as 127.0.0.1:8080 or [::1]:8080");
  const bool loopback =
      is_four ? (ntohl(four.s_addr) >> 24) == 127 : IN6_IS_ADDR_LOOPBACK(&six) != 0;
  return {host, static_cast<uint16_t>(number), loopback};
}

}  // namespace prismvid::server
