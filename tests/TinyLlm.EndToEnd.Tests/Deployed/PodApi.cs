using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace TinyLlm.EndToEnd.Tests.Deployed;

/// <summary>
/// What a pod asks its cluster's API, over TLS and for its service account's token: the list of pods, one of them, and a watch in which nothing happens, as Orleans' own watch
/// overlooks what happens after every other change of the members (KubernetesClusterAgent switches it off and on): what it does for sure is to compare lists at the start.
/// </summary>
internal sealed class PodApi : IAsyncDisposable
{
    private readonly X509Certificate2 _certificate = NewCertificate();
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, IPAddress> _pods = [];

    private PodApi()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate)));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public int Port { get; private set; }

    /// <summary>From now on there is this pod.</summary>
    public void Add(string name, IPAddress address) => _pods[name] = address;

    /// <summary>And now no more.</summary>
    public void Remove(string name) => _pods.Remove(name, out _);

    /// <summary>What trusts it, and who asks: the files of a service account.</summary>
    public void WriteServiceAccount(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "ca.crt"), _certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "token"), "a-token-of-the-test");
        File.WriteAllText(Path.Combine(folder, "namespace"), "tinyllm");
    }

    public static async Task<PodApi> StartAsync()
    {
        PodApi api = new();
        await api._app.StartAsync();
        api.Port = new Uri(api._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        return api;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Headers.Authorization != "Bearer a-token-of-the-test")
        {
            http.Response.StatusCode = 401;
            return;
        }
        if (http.Request.Query["watch"] == "true")
        {
            await http.Response.StartAsync(http.RequestAborted);
            TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
            using (http.RequestAborted.Register(() => gone.TrySetResult())) await gone.Task;
            return;
        }
        string[] path = http.Request.Path.Value!.Split('/'); // "", api, v1, namespaces, NAMESPACE, pods[, NAME]
        if (path is ["", "api", "v1", "namespaces", "tinyllm", "pods"])
        {
            Assert.Equal("orleans/serviceId=tinyllm,orleans/clusterId=tinyllm", http.Request.Query["labelSelector"]);
            await http.Response.WriteAsJsonAsync(new { apiVersion = "v1", kind = "PodList", metadata = new { resourceVersion = "1" }, items = _pods.Select(pod => Pod(pod.Key, pod.Value)) });
        }
        else if (path is ["", "api", "v1", "namespaces", "tinyllm", "pods", string name] && _pods.TryGetValue(name, out IPAddress? address)) await http.Response.WriteAsJsonAsync(Pod(name, address));
        else http.Response.StatusCode = 404;
    }

    private static object Pod(string name, IPAddress address) => new
    {
        apiVersion = "v1",
        kind = "Pod",
        metadata = new { name, @namespace = "tinyllm", labels = new Dictionary<string, string> { ["orleans/serviceId"] = "tinyllm", ["orleans/clusterId"] = "tinyllm" } },
        status = new { phase = "Running", podIP = $"{address}" },
    };

    private static X509Certificate2 NewCertificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=kubernetes", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
