using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace TinyLlm.Cli.Tests.StandIn;

/// <summary>
/// A real web server on a free loopback port that answers as one test says: for what the real host never does by itself (dropped connections,
/// lies, injected text). Everything else is tested against the real host, end to end.
/// </summary>
internal sealed class StandInHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private StandInHost(WebApplication app) => this.app = app;

    public string Url { get; private set; } = "";

    /// <summary>Every request in order: method, path, and the headers that matter.</summary>
    public List<string> Requests { get; } = [];

    public static async Task<StandInHost> StartAsync(Action<WebApplication> routes)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        WebApplication app = builder.Build();
        StandInHost host = new(app);
        app.Use(async (context, next) =>
        {
            lock (host.Requests) host.Requests.Add($"{context.Request.Method} {context.Request.Path}");
            await next(context);
        });
        routes(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        host.Url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return host;
    }

    /// <summary>Server-sent events of an OpenAI stream; each line is one event's data.</summary>
    public static async Task WriteEventsAsync(HttpContext context, params string[] events)
    {
        if (!context.Response.HasStarted) context.Response.ContentType = "text/event-stream";
        foreach (string data in events) await context.Response.WriteAsync($"data: {data}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    /// <summary>One event with a piece of a chat answer.</summary>
    public static string Piece(string text) =>
        $$"""{"choices":[{"index":0,"delta":{"content":{{System.Text.Json.JsonSerializer.Serialize(text)}}},"finish_reason":null}]}""";

    public const string Finish = """{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""";

    public const string Done = "[DONE]";

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource now = new();
        await now.CancelAsync();
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }
}
