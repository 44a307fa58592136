using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace TinyLlm.EndToEnd.Tests.Attacks;

/// <summary>By which object or route is asked for.</summary>
internal static partial class PathAttacks
{
    private static readonly string[] OpenRoutes = ["GET /healthz/live", "GET /healthz/ready", "GET /openapi/v1.json"];

    public static Attack[] All { get; } =
    [
        new("traversal in every name (encoded too)", TraversalAsync),
        new("every route without a token", NoTokenAsync),
        new("token guessing", GuessingAsync),
        new("every route with another user's object", OtherUsersAsync),
        new("wildcard delete", WildcardsAsync),
    ];

    private static async Task TraversalAsync(AttackGround ground)
    {
        string[] names =
        [
            "..", ".", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2e%2e%2fkeys%2ftokens", "..%5c..%5cadmin-token", "%00", "a%00b", "con", "C%3a%5cx", "%c0%ae%c0%ae", "....%2f%2f",
            "%252e%252e%252f", "a%2f..%2f..%2fb", "~root", "%2fetc%2fpasswd",
        ];
        string[] before = Entries(ground);
        foreach (string name in names)
        {
            (string Method, string Target)[] requests =
            [
                ("GET", $"/v1/models/{name}"), ("GET", $"/v1/models/mallory/{name}"), ("DELETE", $"/v1/models/{name}"), ("GET", $"/api/models/{name}/tiny"), ("GET", $"/api/models/mallory/{name}"),
                ("DELETE", $"/api/models/mallory/{name}"), ("GET", $"/api/models/mallory/tiny/versions/1/files/{name}"), ("POST", $"/api/models/{name}/uploads"),
                ("PUT", $"/api/models/tiny/uploads/up_x/files/{name}"), ("PUT", $"/api/models/tiny/uploads/{name}/files/config.json"), ("DELETE", $"/api/models/tiny/uploads/{name}"),
                ("DELETE", $"/api/tokens/{name}"), ("DELETE", $"/api/users/{name}"), ("GET", $"/openapi/{name}.json"), ("GET", $"/{name}"),
            ];
            // A dot segment is resolved by the server before any route sees it: then another route answers, never a file.
            foreach ((string method, string target) in requests)
            {
                RawAnswer answer = await ground.SendAsync(method, target, method == "PUT" ? [1] : null);
                AttackGround.Refused(answer, name is "." or ".." or "%2e%2e" ? [200, 400, 403, 404, 405] : [400, 403, 404]);
                Assert.DoesNotContain("root:", answer.Body, StringComparison.Ordinal);
            }
        }
        string model = ground.NewName("traversal");
        string upload = await ground.Mallory.BeginUploadAsync(model);
        foreach (string name in names)
            AttackGround.Refused(await ground.SendAsync("PUT", $"/api/models/{model}/uploads/{upload}/files/{name}", "evil"u8.ToArray()), 400, 404, 405);
        Assert.Equal(204, (await ground.SendAsync("DELETE", $"/api/models/{model}/uploads/{upload}")).Status);
        Assert.Equal(before, Entries(ground));
    }

    private static async Task NoTokenAsync(AttackGround ground)
    {
        List<string> routes = await ground.RoutesAsync();
        Assert.True(routes.Count > 25, $"only {routes.Count} routes are described");
        foreach (string route in routes.Except(OpenRoutes))
        {
            string[] parts = route.Split(' ');
            AttackGround.Refused(await RawHttp.SendAsync(ground.Host.Url, parts[0], Parameter().Replace(parts[1], "1"), null, body: []), 401);
        }
    }

    /// <summary>Whatever is wrong with a token, the answer is the same.</summary>
    private static async Task GuessingAsync(AttackGround ground)
    {
        string token = ground.Alice.Token;
        string[] guesses = [WithOther(token, token.Length - 1), WithOther(token, token.Length - 8), WithOther(token, 20), "tlm_", token + "a", token[1..], ground.Mallory.Token[..14] + token[14..], "tlmadmin_" + new string('a', 43)];
        HashSet<string> answers = [];
        foreach (string guess in guesses)
        {
            RawAnswer answer = await RawHttp.SendAsync(ground.Host.Url, "GET", "/api/me", guess);
            AttackGround.RefusedInWords(answer, 401);
            JsonObject body = JsonNode.Parse(answer.Body)!.AsObject();
            body.Remove("traceId");
            answers.Add(body.ToJsonString());
        }
        Assert.Single(answers);
    }

    /// <summary>The token with another letter at that place, whichever letter chance had put there.</summary>
    private static string WithOther(string token, int index) => token[..index] + (token[index] == 'a' ? 'b' : 'a') + token[(index + 1)..];

    /// <summary>Every route that takes an object, with alice's: none gives, changes or removes anything.</summary>
    private static async Task OtherUsersAsync(AttackGround ground)
    {
        string upload = await ground.Alice.BeginUploadAsync("mine");
        JsonNode before = await ground.Alice.GetAsync("api/models");
        string token = (string)(await ground.Alice.GetAsync("api/tokens"))["tokens"]![0]!["id"]!;
        // A name without an owner is mallory's own: there is nothing of alice's to be had.
        string[] own = ["POST /api/models/{model}/uploads"];
        foreach (string route in (await ground.RoutesAsync()).Where(route => route.Contains('{', StringComparison.Ordinal)).Except(own))
        {
            string[] parts = route.Split(' ');
            string target = parts[1].Replace("{owner}", "alice", StringComparison.Ordinal).Replace("{version}", "1", StringComparison.Ordinal).Replace("{name}", "config.json", StringComparison.Ordinal)
                .Replace("{user}", "mallory", StringComparison.Ordinal);
            target = target.Contains("/uploads/", StringComparison.Ordinal) ? target.Replace("{model}", "mine", StringComparison.Ordinal).Replace("{id}", upload, StringComparison.Ordinal)
                : target.Contains("/tokens/", StringComparison.Ordinal) ? target.Replace("{id}", token, StringComparison.Ordinal)
                : target.Contains("/users/", StringComparison.Ordinal) ? target.Replace("{id}", "alice", StringComparison.Ordinal)
                : target.Replace("{id}", "alice/tiny", StringComparison.Ordinal).Replace("{model}", "tiny", StringComparison.Ordinal);
            RawAnswer answer = await ground.SendAsync(parts[0], Parameter().Replace(target, "1"), parts[0] is "GET" or "HEAD" or "DELETE" ? null : "{}"u8.ToArray(), "Content-Type: application/json");
            AttackGround.Refused(answer, 400, 403, 404);
        }
        Assert.Equal(before.ToJsonString(), (await ground.Alice.GetAsync("api/models")).ToJsonString());
        using HttpResponseMessage abandoned = await ground.Alice.SendAsync(HttpMethod.Delete, $"api/models/mine/uploads/{upload}");
        Assert.True(abandoned.IsSuccessStatusCode);
    }

    private static async Task WildcardsAsync(AttackGround ground)
    {
        foreach (string name in (string[])["*", "%2a", "%25", "tin*", "tin?", "%2e*", "[a-z]*", "tiny%2f*", "alice%2f*", "**", "TINY", "tiny@*", "tiny@0", "tiny@-1", "@1", ""])
        {
            foreach (string target in (string[])[$"/v1/models/{name}", $"/v1/models/alice/{name}", $"/api/models/mallory/{name}", $"/api/models/alice/{name}", $"/api/models/{name}/uploads/{name}", $"/api/tokens/{name}", $"/api/users/{name}"])
                AttackGround.Refused(await ground.SendAsync("DELETE", target), 400, 403, 404, 405);
        }
        Assert.Contains("mallory/tiny", (await ground.Mallory.GetAsync("v1/models")).ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("alice/tiny", (await ground.Alice.GetAsync("v1/models")).ToJsonString(), StringComparison.Ordinal);
        await ground.Mallory.GetAsync("api/me"); // its token is still good
    }

    private static string[] Entries(AttackGround ground) => [.. Directory.GetFileSystemEntries(ground.Host.DataFolder).Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
