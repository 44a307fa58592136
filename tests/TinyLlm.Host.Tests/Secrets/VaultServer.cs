using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace TinyLlm.Host.Tests.Secrets;

/// <summary>
/// An HTTPS server on loopback that speaks the key vault's protocol as far as reading goes: the challenge, secrets, their versions and lists in pages. The client is the
/// SDK's own; of it only the certificate that it trusts and the sign-in are the test's.
/// </summary>
internal sealed class VaultServer : IAsyncDisposable
{
    private const string Token = "a-token-of-the-test";

    private readonly ConcurrentDictionary<string, List<Version>> _secrets = new();
    private readonly X509Certificate2 _certificate = NewCertificate();
    private readonly WebApplication _app;
    private readonly HttpClientHandler _handler;

    private VaultServer()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate)));
        _app = builder.Build();
        _app.Run(AnswerAsync);
        _handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown?.Thumbprint == _certificate.Thumbprint };
    }

    public Uri Uri { get; private set; } = new("https://127.0.0.1");

    /// <summary>Requests without the token that were told to sign in.</summary>
    public int Challenged { get; private set; }

    /// <summary>While true nobody is let in.</summary>
    public bool IsClosed { get; set; }

    public static async Task<VaultServer> StartAsync()
    {
        VaultServer server = new();
        await server._app.StartAsync();
        server.Uri = new Uri(server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    public SecretClient Client() => new(Uri, new TestCredential(), new SecretClientOptions
    {
        DisableChallengeResourceVerification = true, // the real one's name is not this server's
        Transport = new HttpClientTransport(new HttpClient(_handler, disposeHandler: false)),
        Retry = { MaxRetries = 0 },
    });

    /// <summary>Adds a version, which is the newest from then on.</summary>
    public void Set(string name, string value) => _secrets.AddOrUpdate(name, _ => [new(NewId(), value)], (_, versions) => [.. versions, new(NewId(), value)]);

    /// <summary>Disables every version but the newest, as an operator does after a rotation.</summary>
    public void DisableOld(string name)
    {
        foreach (Version version in _secrets[name].SkipLast(1)) version.IsEnabled = false;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _handler.Dispose();
        _certificate.Dispose();
    }

    private static string NewId() => Guid.NewGuid().ToString("N");

    private async Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Headers.Authorization != $"Bearer {Token}")
        {
            Challenged++;
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = $"Bearer authorization=\"{Uri}tenant\", resource=\"https://vault.azure.net\"";
            return;
        }
        string[] path = http.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        (int status, object body) = IsClosed ? (403, Error("Forbidden")) : path switch
        {
            ["secrets"] => (200, Page(http, [.. _secrets.Select(secret => (secret.Key, secret.Value[^1], ""))])),
            ["secrets", var name, "versions"] when _secrets.TryGetValue(name, out List<Version>? versions) =>
                (200, Page(http, [.. versions.Select(version => (name, version, "/" + version.Id))])),
            ["secrets", var name] when _secrets.TryGetValue(name, out List<Version>? versions) => Whole(name, versions[^1]),
            ["secrets", var name, var id] when _secrets.TryGetValue(name, out List<Version>? versions) && versions.Find(version => version.Id == id) is { } version => Whole(name, version),
            _ => (404, Error("SecretNotFound")),
        };
        http.Response.StatusCode = status;
        await http.Response.WriteAsJsonAsync(body);
    }

    /// <summary>One item a page, so that whoever reads only the first one is found out.</summary>
    private object Page(HttpContext http, (string Name, Version Version, string Suffix)[] items)
    {
        int at = int.TryParse(http.Request.Query["$skiptoken"], out int given) ? given : 0;
        object[] value = [.. items.Skip(at).Take(1).Select(item => new { id = $"{Uri}secrets/{item.Name}{item.Suffix}", attributes = item.Version.Attributes })];
        return new { value, nextLink = at + 1 < items.Length ? $"{Uri}{http.Request.Path.Value![1..]}?api-version=7.6&$skiptoken={at + 1}" : null };
    }

    private (int Status, object Body) Whole(string name, Version version) => version.IsEnabled
        ? (200, new { value = version.Value, id = $"{Uri}secrets/{name}/{version.Id}", attributes = version.Attributes })
        : (403, Error("Forbidden"));

    private static object Error(string code) => new { error = new { code, message = "no" } };

    private static X509Certificate2 NewCertificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private sealed record Version(string Id, string Value)
    {
        public bool IsEnabled { get; set; } = true;

        // All of one second, as those of a script are.
        public object Attributes => new { enabled = IsEnabled, created = 1_700_000_000, updated = 1_700_000_000 };
    }

    private sealed class TestCredential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => new(Token, DateTimeOffset.UtcNow.AddHours(1));

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => new(GetToken(requestContext, cancellationToken));
    }
}
