using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace TinyLlm.Bench.Serve;

/// <summary>The real host, or the one with a simulated device, as a process of its own, on a free port and a folder of its own. Disposing it ends it and removes the folder.</summary>
internal sealed class HostProcess : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly string _folder;

    private readonly string _keys;

    private HostProcess(Process process, string folder, string keys, Uri address, TimeSpan startTime)
    {
        _process = process;
        _folder = folder;
        _keys = keys;
        Address = address;
        StartTime = startTime;
    }

    public Uri Address { get; }

    /// <summary>From the start of the process to its first answer on /healthz/ready.</summary>
    public TimeSpan StartTime { get; }

    /// <summary>What the process has taken of the processors so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static Task<HostProcess> StartAsync(params string[] settings) => StartAsync(new HostSpec(HostSpec.Product, settings));

    public static async Task<HostProcess> StartAsync(HostSpec spec)
    {
        string folder = Directory.CreateTempSubdirectory("tinyllm-bench-").FullName;
        Uri address = new($"http://127.0.0.1:{FreePort()}");
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[HostAssembly(spec.Project), "--urls", address.ToString(), "--data", folder, .. spec.Settings]) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in spec.Environment) start.Environment[name] = value;
        long began = Stopwatch.GetTimestamp();
        Process process = Process.Start(start) ?? throw new InvalidOperationException("The host did not start.");
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        using HttpClient client = new() { BaseAddress = address };
        while (!await IsReadyAsync(client))
        {
            if (process.HasExited) throw new InvalidOperationException($"The host ended with code {process.ExitCode}.");
            if (Stopwatch.GetElapsedTime(began) > StartLimit) throw new TimeoutException($"The host was not ready after {StartLimit}.");
            await Task.Delay(5);
        }
        return new HostProcess(process, folder, spec.KeysFolder ?? folder, address, Stopwatch.GetElapsedTime(began));
    }

    /// <summary>Sets a user's bounds.</summary>
    public async Task SetQuotaAsync(string user, object quota)
    {
        using HttpClient admin = await AdminAsync();
        using HttpResponseMessage response = await admin.PutAsJsonAsync($"/api/admin/users/{user}/quota", quota);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Makes a user and answers a client with its token.</summary>
    public async Task<HttpClient> CreateUserAsync(string name)
    {
        using HttpClient admin = await AdminAsync();
        using HttpResponseMessage response = await admin.PostAsJsonAsync("/api/users", new { id = name });
        response.EnsureSuccessStatusCode();
        return Client((await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString()!);
    }

    /// <summary>Uploads and commits a model.</summary>
    public static async Task PushAsync(HttpClient user, string model, IReadOnlyDictionary<string, byte[]> files)
    {
        using HttpResponseMessage begun = await user.PostAsync($"/api/models/{model}/uploads", null);
        begun.EnsureSuccessStatusCode();
        string upload = (await begun.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
        foreach ((string name, byte[] bytes) in files)
        {
            using HttpResponseMessage put = await user.PutAsync($"/api/models/{model}/uploads/{upload}/files/{name}", new ByteArrayContent(bytes));
            put.EnsureSuccessStatusCode();
        }
        using HttpResponseMessage committed = await user.PostAsync($"/api/models/{model}/uploads/{upload}/commit", null);
        committed.EnsureSuccessStatusCode();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<HttpClient> AdminAsync() => Client((await File.ReadAllTextAsync(Path.Combine(_keys, "admin-token"))).Trim());

    private HttpClient Client(string token)
    {
        // A response that is given up closes its connection at once; by default the client would read on for two seconds, to reuse it.
        SocketsHttpHandler handler = new() { MaxResponseDrainSize = 0, ResponseDrainTimeout = TimeSpan.Zero };
        HttpClient client = new(handler) { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    private static async Task<bool> IsReadyAsync(HttpClient client)
    {
        try
        {
            using HttpResponseMessage response = await client.GetAsync("/healthz/ready");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // it does not listen yet
        }
    }

    /// <summary>The host's build of the same configuration, found from this program's own folder in the repository.</summary>
    private static string HostAssembly(string project)
    {
        DirectoryInfo output = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)); // bench/TinyLlm.Bench/bin/CONFIGURATION/net10.0
        string root = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName; // the layout of every build of this repository
        string path = Path.Combine(root, project, "bin", output.Parent.Name, output.Name, $"{Path.GetFileName(project)}.dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"Build {project} in the same configuration first.", path);
    }

    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
