using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Cli.Tests.StandIn;
using TinyLlm.Tests;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class TrustCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinyllm-trust-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Trust_AddListRmRequire_CallTheirRoutes()
    {
        using ForeignSigner signer = new();
        string key = Path.Combine(folder, "key.pem");
        await File.WriteAllTextAsync(key, signer.PublicKey, TestContext.Current.CancellationToken);
        JsonElement added = default, required = default;
        await using StandInHost host = await StandInHost.StartAsync(app =>
        {
            app.MapPost("/api/me/trust/keys", (JsonElement body) =>
            {
                added = body;
                return Results.Json(new { id = signer.Id, name = "upstream", public_key = signer.PublicKey, added_at = "2026-01-01T00:00:00Z" }, statusCode: 201);
            });
            app.MapGet("/api/me/trust", () => Results.Json(new { require_trusted_signature = false, keys = new[] { new { id = "k1", name = "upstream" } } }));
            app.MapPut("/api/me/trust", (JsonElement body) =>
            {
                required = body;
                return Results.Json(new { require_trusted_signature = true, keys = Array.Empty<string>() });
            });
            app.MapDelete("/api/me/trust/keys/{id}", () => Results.NoContent());
        });
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("trust", "add", "upstream", key));
        Assert.Equal(("upstream", signer.PublicKey), (added.GetProperty("name").GetString(), added.GetProperty("public_key").GetString()));
        Assert.Equal(ExitCode.Ok, await run.RunAsync("trust", "list"));
        Assert.Equal(ExitCode.Ok, await run.RunAsync("trust", "require", "on"));
        Assert.Equal("""{"require_trusted_signature":true}""", required.ToString());
        Assert.Equal(ExitCode.Ok, await run.RunAsync("trust", "rm", "k1"));
        Assert.Equal($"{signer.Id}\nk1\tupstream\n", run.Out.Text);
        Assert.Equal(["POST /api/me/trust/keys", "GET /api/me/trust", "PUT /api/me/trust", "DELETE /api/me/trust/keys/k1"], host.Requests);

        await File.WriteAllTextAsync(key, "no key", TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Usage, await run.RunAsync("trust", "add", "upstream", key));
        Assert.Equal(ExitCode.Usage, await run.RunAsync("trust", "require", "maybe"));
        Assert.Equal(4, host.Requests.Count);
    }
}
