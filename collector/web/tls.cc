// SPDX-License-Identifier: Apache-2.0
#include "collector/web/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gnutls/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <type_traits>

namespace lunscope {
namespace {

using enum TlsConfig::ClientCertificates;

struct CertificateDeleter {
  void operator()(gnutls_x509_crt_t certificate) const { gnutls_x509_crt_deinit(certificate); }
};
using Certificate = std::unique_ptr<std::remove_pointer_t<gnutls_x509_crt_t>, CertificateDeleter>;

gnutls_datum_t DatumOf(const std::string& text) {
  // GnuTLS reads through a pointer that is not const.
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          static_cast<unsigned int>(text.size())};
}

// Called within the handshake: the certificate of a client, if it has one, is by our authority,
// valid at this time, and for clients (RFC 5280 section 4.2.1.12).
int VerifyClient(gnutls_session_t session) {
  unsigned int count = 0;
  if (gnutls_certificate_get_peers(session, &count) == nullptr || count == 0) return 0;
  gnutls_typed_vdata_st purpose{};
  purpose.type = GNUTLS_DT_KEY_PURPOSE_OID;
  purpose.data = reinterpret_cast<unsigned char*>(const_cast<char*>(GNUTLS_KP_TLS_WWW_CLIENT));
  unsigned int status = 0;
  const int failure = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
  return failure < 0 || status != 0 ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

// "NORMAL:-VERS-ALL:+VERS-TLS1.3" (GnuTLS manual, "Priority Strings").
std::string PriorityOf(const TlsConfig& config) {
  std::string priority = "NORMAL:-VERS-ALL";
  if (config.allows_tls13) priority += ":+VERS-TLS1.3";
  if (config.allows_tls12) priority += ":+VERS-TLS1.2";
  if (!config.groups.empty()) priority += ":-GROUP-ALL";
  for (const std::string& group : config.groups) priority += ":+GROUP-" + group;
  if (config.prefers_own_ciphers) priority += ":%SERVER_PRECEDENCE";
  return priority;
}

gnutls_certificate_request_t RequestOf(const TlsConfig& config) {
  switch (config.client_certificates) {
    case kNone: return GNUTLS_CERT_IGNORE;
    case kRequest:
    case kVerifyIfGiven: return GNUTLS_CERT_REQUEST;
    default: return GNUTLS_CERT_REQUIRE;
  }
}

// "" if the text has certificates in PEM; else why not.
std::string WhyNoCertificate(const std::string& text) {
  const gnutls_datum_t datum = DatumOf(text);
  gnutls_x509_crt_t* list = nullptr;
  unsigned int count = 0;
  const int failure = gnutls_x509_crt_list_import2(&list, &count, &datum, GNUTLS_X509_FMT_PEM, 0);
  if (failure < 0) return gnutls_strerror(failure);
  for (unsigned int i = 0; i < count; i++) gnutls_x509_crt_deinit(list[i]);
  gnutls_free(list);
  return count == 0 ? "the text has no certificate" : "";
}

std::string WhyNoKey(const std::string& text) {
  gnutls_x509_privkey_t key = nullptr;
  int failure = gnutls_x509_privkey_init(&key);
  if (failure < 0) return gnutls_strerror(failure);
  const gnutls_datum_t datum = DatumOf(text);
  failure = gnutls_x509_privkey_import2(key, &datum, GNUTLS_X509_FMT_PEM, nullptr,
                                        GNUTLS_PKCS_PLAIN | GNUTLS_PKCS_NULL_PASSWORD);
  gnutls_x509_privkey_deinit(key);
  return failure < 0 ? gnutls_strerror(failure) : "";
}

// As a person writes it: an IP address in a certificate is bytes.
std::string NameText(unsigned int type, const char* bytes, size_t size) {
  if (type != GNUTLS_SAN_IPADDRESS) return {bytes, size};
  std::array<char, 64> text{};
  const gnutls_datum_t datum{reinterpret_cast<unsigned char*>(const_cast<char*>(bytes)),
                             static_cast<unsigned int>(size)};
  const int family = size == 4 ? AF_INET : AF_INET6;
  return inet_ntop(family, datum.data, text.data(), text.size()) == nullptr ? "" : text.data();
}

// The certificate that the client showed; nullptr: none.
Certificate CertificateOf(gnutls_session_t session) {
  unsigned int count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
  gnutls_x509_crt_t certificate = nullptr;
  if (chain == nullptr || count == 0 || gnutls_x509_crt_init(&certificate) < 0) return nullptr;
  Certificate owner(certificate);
  if (gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER) < 0) return nullptr;
  return owner;
}

}  // namespace

Result<std::shared_ptr<const TlsServer>> TlsServer::Load(const WebConfig& config) {
  const std::shared_ptr<TlsServer> server(new TlsServer(*config.tls));
  std::optional<Wrong> wrong = server->LoadCertificate();
  if (!wrong) wrong = server->LoadClientAuthority();
  if (wrong) return config.At(wrong->line, wrong->reason);
  const int failure =
      gnutls_priority_init(&server->priority_, PriorityOf(server->config_).c_str(), nullptr);
  if (failure < 0) return config.At(0, gnutls_strerror(failure));
  return std::shared_ptr<const TlsServer>(server);
}

TlsServer::~TlsServer() {
  if (credentials_ != nullptr) gnutls_certificate_free_credentials(credentials_);
  if (priority_ != nullptr) gnutls_priority_deinit(priority_);
}

std::optional<TlsServer::Wrong> TlsServer::LoadCertificate() {
  const ConfiguredText& certificate = config_.certificate;
  const ConfiguredText& key = config_.key;
  if (const std::string reason = WhyNoCertificate(certificate.text); !reason.empty())
    return Wrong{certificate.line, "the certificate is not readable as PEM: " + reason};
  if (const std::string reason = WhyNoKey(key.text); !reason.empty())
    return Wrong{key.line, "the key is not readable as PEM without a password: " + reason};
  if (gnutls_certificate_allocate_credentials(&credentials_) < 0)
    return Wrong{0, "there is no memory"};
  const gnutls_datum_t certificate_datum = DatumOf(certificate.text);
  const gnutls_datum_t key_datum = DatumOf(key.text);
  const int failure = gnutls_certificate_set_x509_key_mem2(
      credentials_, &certificate_datum, &key_datum, GNUTLS_X509_FMT_PEM, nullptr, 0);
  if (failure < 0)
    return Wrong{key.line,
                 fmt::format("the key does not fit the certificate: {}", gnutls_strerror(failure))};
  return std::nullopt;
}

std::optional<TlsServer::Wrong> TlsServer::LoadClientAuthority() {
  const ConfiguredText& authority = config_.client_ca;
  if (authority.text.empty()) return std::nullopt;
  if (const std::string reason = WhyNoCertificate(authority.text); !reason.empty())
    return Wrong{authority.line, "the client CA is not readable as PEM: " + reason};
  const gnutls_datum_t datum = DatumOf(authority.text);
  const int loaded =
      gnutls_certificate_set_x509_trust_mem(credentials_, &datum, GNUTLS_X509_FMT_PEM);
  if (loaded <= 0) return Wrong{authority.line, "the client CA has no certificate"};
  gnutls_certificate_set_verify_function(credentials_, &VerifyClient);
  return std::nullopt;
}

void TlsServer::Adopt(gnutls_session_t session) const {
  gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials_);
  gnutls_priority_set(session, priority_);
  gnutls_certificate_server_set_request(session, RequestOf(config_));
}

bool TlsServer::AllowsNames(gnutls_session_t session) const {
  if (config_.allowed_names.empty()) return true;
  const Certificate certificate = CertificateOf(session);
  if (!certificate) return config_.client_certificates == kVerifyIfGiven;
  for (unsigned int i = 0;; i++) {
    std::array<char, 512> bytes{};
    size_t size = bytes.size();
    const int type =
        gnutls_x509_crt_get_subject_alt_name(certificate.get(), i, bytes.data(), &size, nullptr);
    if (type == GNUTLS_E_SHORT_MEMORY_BUFFER) continue;  // no allowed name is as long
    if (type < 0) return false;
    const std::string name = NameText(static_cast<unsigned int>(type), bytes.data(), size);
    if (std::ranges::find(config_.allowed_names, name) != config_.allowed_names.end()) return true;
  }
}

}  // namespace lunscope
