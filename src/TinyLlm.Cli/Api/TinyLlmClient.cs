using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace TinyLlm.Cli.Api;

/// <summary>
/// The HTTP API as methods: one request each, no repeats. Every refusal is an <see cref="ApiException"/>. Follows no redirect, so the token
/// goes to no address but the one given.
/// </summary>
internal sealed class TinyLlmClient : IDisposable
{
    private const string TrustRoute = "api/me/trust";

    private readonly HttpClient http;
    private readonly TimeProvider time;

    public TinyLlmClient(Uri address, string? token, TimeProvider time)
    {
        this.time = time;
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            Expect100ContinueTimeout = TimeSpan.FromSeconds(2),
        };
        // An upload and a long answer take what they take; Ctrl-C ends them.
        http = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>Whether the host answers and is ready; false when nothing listens yet.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage response = await http.GetAsync("healthz/ready", cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (Exception fault) when (ApiException.IsNetwork(fault))
        {
            return false;
        }
    }

    /// <summary>Who the token belongs to.</summary>
    public Task<Caller> GetCallerAsync(CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, "api/me"), ApiJson.Default.Caller, cancellationToken);

    /// <summary>Makes a user; the token is in no later answer.</summary>
    public Task<CreatedUser> CreateUserAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(Post("api/users", new NewUser(name), ApiJson.Default.NewUser), ApiJson.Default.CreatedUser, cancellationToken);

    /// <summary>Models that the caller may use.</summary>
    public async Task<IReadOnlyList<ModelEntry>> ListModelsAsync(CancellationToken cancellationToken) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Get, "api/models"), ApiJson.Default.ModelList, cancellationToken)).Models;

    /// <summary>Models in the memory of the cluster's silos; for the operator.</summary>
    public Task<ResidentList> ListResidentAsync(CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, "api/admin/models/resident"), ApiJson.Default.ResidentList, cancellationToken);

    /// <summary>Versions of "owner/model", newest first.</summary>
    public async Task<IReadOnlyList<ModelEntry>> ListVersionsAsync(string model, CancellationToken cancellationToken) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"api/models/{Segments(model)}/versions"), ApiJson.Default.VersionList, cancellationToken)).Versions;

    /// <summary>Makes a version the one that the bare name of "owner/model" means.</summary>
    public async Task SetCurrentAsync(string model, int version, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Put, $"api/models/{Segments(model)}/current")
        {
            Content = JsonContent.Create(new CurrentVersion(version), ApiJson.Default.CurrentVersion),
        };
        using HttpResponseMessage response = await SendAsync(request, cancellationToken);
    }

    /// <summary>One model and its files; a bare name is the caller's own.</summary>
    public async Task<ModelDetail> GetModelAsync(string model, CancellationToken cancellationToken)
    {
        string name = model.Contains('/', StringComparison.Ordinal) ? model : $"{(await GetCallerAsync(cancellationToken)).Id}/{model}";
        return await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"api/models/{Segments(name)}"), ApiJson.Default.ModelDetail, cancellationToken);
    }

    /// <summary>The public key of the host's signatures.</summary>
    public Task<HostSigningKey> GetSigningKeyAsync(CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, "api/signing-key"), ApiJson.Default.HostSigningKey, cancellationToken);

    /// <summary>The host's signature of a version.</summary>
    public async Task<byte[]> GetSignatureAsync(ModelEntry version, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"{VersionRoute(version)}/signature"), cancellationToken);
        await response.Content.LoadIntoBufferAsync(Storage.SignatureBundle.MaxBytes, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <summary>A stream over one of a version's files.</summary>
    public async Task<Stream> OpenFileAsync(ModelEntry version, string file, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"{VersionRoute(version)}/files/{Segments(file)}"), cancellationToken);
        return await response.Content.ReadAsStreamAsync(cancellationToken); // disposing it ends the response
    }

    /// <summary>Deletes a model of the caller's with all its versions, or the one version that the name says.</summary>
    public async Task DeleteModelAsync(string model, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"v1/models/{Segments(model)}"), cancellationToken);
    }

    /// <summary>Makes an access token; its text is in no later answer.</summary>
    public Task<CreatedToken> CreateTokenAsync(NewToken token, CancellationToken cancellationToken) =>
        SendAsync(Post("api/tokens", token, ApiJson.Default.NewToken), ApiJson.Default.CreatedToken, cancellationToken);

    /// <summary>The caller's access tokens, oldest first.</summary>
    public async Task<IReadOnlyList<TokenEntry>> ListTokensAsync(CancellationToken cancellationToken) =>
        (await SendAsync(new HttpRequestMessage(HttpMethod.Get, "api/tokens"), ApiJson.Default.TokenList, cancellationToken)).Tokens;

    /// <summary>Ends an access token.</summary>
    public async Task DeleteTokenAsync(string id, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"api/tokens/{Segments(id)}"), cancellationToken);
    }

    /// <summary>Gives an access token a fresh secret; the old one lasts for <paramref name="graceSeconds"/> more.</summary>
    public Task<RotatedToken> RotateTokenAsync(string id, int graceSeconds, CancellationToken cancellationToken) => SendAsync(
        Post($"api/tokens/{Segments(id)}/rotate", new TokenRotation(graceSeconds), ApiJson.Default.TokenRotation), ApiJson.Default.RotatedToken, cancellationToken);

    /// <summary>Lets a user ("*": everyone on the host) use a model, "owner/model".</summary>
    public async Task GrantAsync(string model, string user, NewGrant grant, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Put, GrantRoute(model, user)) { Content = JsonContent.Create(grant, ApiJson.Default.NewGrant) };
        using HttpResponseMessage response = await SendAsync(request, cancellationToken);
    }

    /// <summary>Takes a grant back.</summary>
    public async Task RevokeAsync(string model, string user, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(new HttpRequestMessage(HttpMethod.Delete, GrantRoute(model, user)), cancellationToken);
    }

    /// <summary>Whose signatures of models the caller trusts.</summary>
    public Task<TrustPolicy> GetTrustAsync(CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, TrustRoute), ApiJson.Default.TrustPolicy, cancellationToken);

    /// <summary>Says whether the caller's models need a trusted signature.</summary>
    public Task<TrustPolicy> SetTrustAsync(bool required, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Put, TrustRoute) { Content = JsonContent.Create(new TrustPolicy(required), ApiJson.Default.TrustPolicy) };
        return SendAsync(request, ApiJson.Default.TrustPolicy, cancellationToken);
    }

    /// <summary>Trusts a public key.</summary>
    public Task<TrustedKeyEntry> AddTrustedKeyAsync(NewTrustedKey key, CancellationToken cancellationToken) =>
        SendAsync(Post($"{TrustRoute}/keys", key, ApiJson.Default.NewTrustedKey), ApiJson.Default.TrustedKeyEntry, cancellationToken);

    /// <summary>Trusts a key no more.</summary>
    public async Task RemoveTrustedKeyAsync(string id, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"{TrustRoute}/keys/{Segments(id)}"), cancellationToken);
    }

    /// <summary>Begins a new version. The same <paramref name="key"/> answers with the same upload.</summary>
    public async Task<string> BeginUploadAsync(string model, string key, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Post, $"api/models/{Segments(model)}/uploads");
        request.Headers.Add("Idempotency-Key", key);
        return (await SendAsync(request, ApiJson.Default.BegunUpload, cancellationToken)).Id;
    }

    /// <summary>Appends to a file, whose durable length must be <paramref name="offset"/>.</summary>
    public async Task PutFileAsync(string model, string upload, string file, long offset, HttpContent content, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Put, FileRoute(model, upload, file)) { Content = content };
        request.Headers.Add("Upload-Offset", offset.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Headers.ExpectContinue = true; // a refusal comes before the bytes, not as a reset in the middle of them
        using HttpResponseMessage response = await SendAsync(request, cancellationToken);
    }

    /// <summary>How many bytes of a file the server has made durable; 0 when it has none.</summary>
    public async Task<long> GetUploadOffsetAsync(string model, string upload, string file, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Head, FileRoute(model, upload, file));
        using HttpResponseMessage response = await http.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode) throw await ErrorBody.ReadAsync(response, time, cancellationToken);
        return response.Headers.TryGetValues("Upload-Offset", out IEnumerable<string>? values) && long.TryParse(values.First(), out long offset) && offset >= 0
            ? offset
            : throw new ApiException("the server did not say where the upload stands (no Upload-Offset)") { Status = (int)response.StatusCode };
    }

    /// <summary>Validates and publishes what the server has, if it is what is expected. The same <paramref name="key"/> answers as the first time.</summary>
    public Task<CommittedModel> CommitAsync(string model, string upload, string key, ExpectedFiles expected, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = Post($"api/models/{Segments(model)}/uploads/{Segments(upload)}/commit", expected, ApiJson.Default.ExpectedFiles);
        request.Headers.Add("Idempotency-Key", key);
        return SendAsync(request, ApiJson.Default.CommittedModel, cancellationToken);
    }

    /// <summary>Gives an upload up; nothing of it stays on the server.</summary>
    public async Task AbandonAsync(string model, string upload, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Delete, $"api/models/{Segments(model)}/uploads/{Segments(upload)}");
        using HttpResponseMessage response = await SendAsync(request, cancellationToken);
    }

    /// <summary>The pieces of an answer: a chat's when the request has messages, else a completion's.</summary>
    public async IAsyncEnumerable<string> AnswerAsync(AnswerRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string route = request.Messages is null ? "v1/completions" : "v1/chat/completions";
        using HttpResponseMessage response = await SendAsync(Post(route, request, ApiJson.Default.AnswerRequest), cancellationToken);
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (string piece in AnswerStream.ReadAsync(body, cancellationToken)) yield return piece;
    }

    /// <summary>Copies an audit log, as its lines are stored.</summary>
    public async Task ExportAuditAsync(bool ofOperator, Stream destination, CancellationToken cancellationToken)
    {
        HttpRequestMessage request = new(HttpMethod.Get, ofOperator ? "api/admin/audit/export" : "api/me/audit/export");
        using HttpResponseMessage response = await SendAsync(request, cancellationToken);
        await response.Content.CopyToAsync(destination, cancellationToken);
    }

    public void Dispose() => http.Dispose();

    private async Task<T> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(request, cancellationToken);
        try
        {
            return await response.Content.ReadFromJsonAsync(type, cancellationToken) ?? throw new JsonException();
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new ApiException($"the server's answer to {request.Method} /{request.RequestUri} is not what this version of tinyllm understands")
            {
                Status = (int)response.StatusCode,
            };
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.IsSuccessStatusCode) return response;
            using (response) throw await ErrorBody.ReadAsync(response, time, cancellationToken);
        }
    }

    private static HttpRequestMessage Post<T>(string route, T body, JsonTypeInfo<T> type) =>
        new(HttpMethod.Post, route) { Content = JsonContent.Create(body, type) };

    private static string FileRoute(string model, string upload, string file) =>
        $"api/models/{Segments(model)}/uploads/{Segments(upload)}/files/{Segments(file)}";

    private static string VersionRoute(ModelEntry version) => $"api/models/{Segments($"{version.Owner}/{version.Model}")}/versions/{version.Version}";

    private static string GrantRoute(string model, string user) => $"api/models/{Segments(model)}/grants/{Segments(user)}";

    // Escapes every part of owner/model@version; a part of dots alone would be taken for a step in the path.
    private static string Segments(string name)
    {
        string[] parts = name.Split('/');
        foreach (string part in parts)
        {
            if (part is "" or "." or "..") throw new UsageException($"'{name}' is not a name: write model, owner/model or owner/model@version");
        }
        return string.Join('/', parts.Select(Uri.EscapeDataString));
    }
}
