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

/// <summary>What a pod asks its cluster's API, answered for pods that are there for good: a list of them, one of them, and a watch in which nothing happens.</summary>
internal sealed class PodApi : IAsyncDisposable
{
    private readonly X509Certificate2 _certificate = NewCertificate();
    private readonly WebApplication _app;
    private readonly string[] _pods;
    private int _lists;

    private PodApi(string[] pods)
    {
        _pods = pods;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate)));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public int Port { get; private set; }

    /// <summary>How often the pods were listed.</summary>
    public int Lists => Volatile.Read(ref _lists);

    /// <summary>What trusts it, and who asks: the files of a service account.</summary>
    public void WriteServiceAccount(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "ca.crt"), _certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "token"), "a-token-of-the-test");
        File.WriteAllText(Path.Combine(folder, "namespace"), "tinyllm");
    }

    public static async Task<PodApi> StartAsync(params string[] pods)
    {
        PodApi api = new(pods);
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
        string last = http.Request.Path.Value!.Split('/')[^1];
        if (last == "pods")
        {
            Interlocked.Increment(ref _lists);
            await http.Response.WriteAsJsonAsync(new { apiVersion = "v1", kind = "PodList", metadata = new { resourceVersion = "1" }, items = _pods.Select(Pod) });
        }
        else if (_pods.Contains(last)) await http.Response.WriteAsJsonAsync(Pod(last));
        else http.Response.StatusCode = 404;
    }

    private static object Pod(string name) => new
    {
        apiVersion = "v1",
        kind = "Pod",
        metadata = new { name, @namespace = "tinyllm", labels = new Dictionary<string, string> { ["orleans/serviceId"] = "tinyllm", ["orleans/clusterId"] = "tinyllm" } },
        status = new { phase = "Running", podIP = "127.0.0.1" },
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
