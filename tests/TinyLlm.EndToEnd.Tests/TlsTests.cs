using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>TLS by configuration alone: an https address, and a certificate with its key in PEM files.</summary>
public sealed class TlsTests
{
    [Fact]
    public async Task Https_WithACertificate_SpeaksHttp2AndAsksForTlsFromThenOn()
    {
        using TemporaryFolder folder = new();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string certificateFile = folder.Combine("host.pem"), keyFile = folder.Combine("host.key");
        await File.WriteAllTextAsync(certificateFile, certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);

        using SocketsHttpHandler handler = new();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented?.GetCertHashString() == certificate.GetCertHashString();
        using HttpClient client = new(handler);
        await using RunningHost host = await RunningHost.StartNewAsync(
            client, "--urls", "https://127.0.0.1:0", "--device", "none", "--Kestrel:Certificates:Default:Path", certificateFile, "--Kestrel:Certificates:Default:KeyPath", keyFile);
        Assert.Equal("https", host.Url.Scheme);
        using HttpRequestMessage get = new(HttpMethod.Get, new Uri(host.Url, "healthz/live")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using HttpResponseMessage answer = await client.SendAsync(get, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (answer.StatusCode, answer.Version));
        Assert.Equal("max-age=31536000", Assert.Single(answer.Headers.GetValues("Strict-Transport-Security")));
    }
}
