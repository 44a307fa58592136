using System.Diagnostics;
using System.Net;
using TinyLlm.Bench.Serve;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Bench.Access;

/// <summary>
/// What the checks add to a request in process: the token's check with its debit, the owner's lease, a place among the streams with its tokens,
/// and the settlement; each beside a bare grain call of the same moment. Then whether the time of a token's check tells how much of a
/// secret was guessed, what a refused request takes of the host's processors beside an accepted one, and what a hundred clients that hammer on their limit cost another user. Options: <c>--samples N</c>, <c>--seconds N</c>.
/// </summary>
internal static class AccessBenchmark
{
    private const int WarmUps = 20_000;
    private const int TimingSamples = 10_000;

    public static int Run(string[] arguments)
    {
        BenchArguments options = new(arguments, "--samples", "--seconds");
        BenchReport report = new("access", "a bare grain call in the same process (bareCallUs), of which the checks need three before an answer and one after it");
        MeasureChecksAsync(report, (int)options.Number("--samples", 20_000)).GetAwaiter().GetResult();
        MeasureTiming(report);
        MeasureRefusalAsync(report).GetAwaiter().GetResult();
        MeasureHammeringAsync(report, TimeSpan.FromSeconds(options.Number("--seconds", 10))).GetAwaiter().GetResult();
        return report.Finish(options.Out);
    }

    private static async Task MeasureChecksAsync(BenchReport report, int samples)
    {
        await using CoreSilo silo = await CoreSilo.StartAsync();
        double[] bare = new double[samples], admit = new double[samples], before = new double[samples], after = new double[samples];
        for (int i = -WarmUps; i < samples; i++)
        {
            string id = $"s{i}";
            long start = Stopwatch.GetTimestamp();
            await silo.Names.Resolve("nobody-spells-it-so");
            long afterBare = Stopwatch.GetTimestamp();

            Admission admission = await silo.Caller.Admit(silo.Token);
            long afterAdmit = Stopwatch.GetTimestamp();
            Bearer bearer = new() { TokenId = admission.Verdict!.TokenId };
            GrantedModel granted = await silo.Owner.LeaseStream(
                new StreamLeaseSpec { Caller = admission.Verdict.User, Model = CoreSilo.Model, StreamId = id, PromptTokens = 10, MaxTokens = 10 });
            await silo.Caller.BeginStream(new StreamSpec { StreamId = id, Bearer = bearer, ReservedTokens = 20 });
            long afterBegin = Stopwatch.GetTimestamp();

            await silo.Caller.EndStream(new StreamUse { StreamId = id, Bearer = bearer, Tokens = 20 });
            await silo.Owner.EndLease(admission.Verdict.User, new LeaseUse { StreamId = id, Model = CoreSilo.Model, Version = granted.Version.Version, Tokens = 20 });
            long end = Stopwatch.GetTimestamp();
            if (i < 0) continue;
            (bare[i], admit[i], before[i], after[i]) = (Us(start, afterBare), Us(afterBare, afterAdmit), Us(afterBare, afterBegin), Us(afterBegin, end));
        }
        report.Add("bareCallUs", bare);
        report.Add("tokenAndLimitUs", admit);
        report.Add("addedBeforeTheAnswerUs", before);
        report.Add("settlementUs", after);
    }

    /// <summary>
    /// Wrong tokens that share 0 to 22 characters of the secret with the right one, in random order; each is checked once. Spearman's rank
    /// correlation between the shared length and the time: by chance it is beyond 0.026 once in a hundred runs of 10,000.
    /// </summary>
    private static void MeasureTiming(BenchReport report)
    {
        Random random = new(1);
        byte[] key = new byte[TokenHash.KeyBytes];
        random.NextBytes(key);
        AccessToken right = AccessToken.New(UserId.New());
        TokenHash stored = TokenHash.Compute(right, key);
        string[] guesses = [.. Enumerable.Range(0, TimingSamples).Select(i => SharedPrefix(right.Reveal(), i % (AccessToken.SecretLength + 1), random))];
        int[] order = [.. Enumerable.Range(0, TimingSamples)];
        random.Shuffle(order);

        foreach (string guess in guesses) Check(guess, stored, key); // warm-up
        double[] times = new double[TimingSamples];
        bool matched = false;
        foreach (int i in order)
        {
            long start = Stopwatch.GetTimestamp();
            matched |= Check(guesses[i], stored, key);
            times[i] = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        }
        if (matched) throw new InvalidOperationException("A guess was accepted.");
        report.Add("checkNs", times);
        report.Add("prefixCorrelation", Spearman([.. Enumerable.Range(0, TimingSamples).Select(i => (double)(i % (AccessToken.SecretLength + 1)))], times));
    }

    private static bool Check(string text, TokenHash stored, byte[] key) => stored.Matches(TokenHash.Compute(text, key));

    /// <summary>The checksum is left as it is: what is timed is behind it, and it protects nothing.</summary>
    private static string SharedPrefix(string right, int shared, Random random)
    {
        char[] guess = right.ToCharArray();
        int secret = AccessToken.Prefix.Length + UserId.Length;
        for (int i = secret + shared; i < secret + AccessToken.SecretLength; i++)
        {
            char other;
            do other = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[random.Next(62)];
            while (i == secret + shared && other == guess[i]);
            guess[i] = other;
        }
        if (shared == AccessToken.SecretLength) guess[^1] = guess[^1] == '0' ? '1' : '0';
        return new string(guess);
    }

    private static double Spearman(double[] a, double[] b)
    {
        double[] x = Ranks(a), y = Ranks(b);
        double mean = (x.Length - 1) / 2.0, both = 0, ofX = 0, ofY = 0;
        for (int i = 0; i < x.Length; i++)
        {
            both += (x[i] - mean) * (y[i] - mean);
            ofX += (x[i] - mean) * (x[i] - mean);
            ofY += (y[i] - mean) * (y[i] - mean);
        }
        return both / Math.Sqrt(ofX * ofY);
    }

    /// <summary>Places in the order; equal values share the middle of theirs.</summary>
    private static double[] Ranks(double[] values)
    {
        int[] order = [.. Enumerable.Range(0, values.Length).OrderBy(i => values[i])];
        double[] ranks = new double[values.Length];
        for (int first = 0, last; first < order.Length; first = last)
        {
            for (last = first; last < order.Length && values[order[last]] == values[order[first]];) last++;
            for (int i = first; i < last; i++) ranks[order[i]] = (first + last - 1) / 2.0;
        }
        return ranks;
    }

    /// <summary>The processor time of the host for requests that come one after the other, accepted and refused in turns.</summary>
    private static async Task MeasureRefusalAsync(BenchReport report)
    {
        const int Rounds = 5, Requests = 2_000;
        using HostProcess host = await HostProcess.StartAsync("--device", "none");
        using HttpClient accepted = await host.CreateUserAsync("accepted"), refused = await host.CreateUserAsync("refused");
        await host.SetQuotaAsync("accepted", new { requests_per_minute = 1_000_000 });
        await host.SetQuotaAsync("refused", new { requests_per_minute = 1 });
        List<double> acceptedUs = [], refusedUs = [];
        for (int round = 0; round <= Rounds; round++)
        {
            double of = await CpuUsAsync(host, accepted, Requests), and = await CpuUsAsync(host, refused, Requests);
            if (round == 0) continue; // warm-up
            acceptedUs.Add(of);
            refusedUs.Add(and);
        }
        report.Add("acceptedCpuUs", acceptedUs);
        report.Add("refusedCpuUs", refusedUs);
    }

    private static async Task<double> CpuUsAsync(HostProcess host, HttpClient user, int requests)
    {
        TimeSpan before = host.ProcessorTime;
        for (int i = 0; i < requests; i++)
        {
            using HttpResponseMessage response = await user.GetAsync("/api/tokens");
        }
        return (host.ProcessorTime - before).TotalMicroseconds / requests;
    }

    /// <summary>One user asks at leisure, in turns without and with a hundred clients of another user that send ten times what their limit lets in.</summary>
    private static async Task MeasureHammeringAsync(BenchReport report, TimeSpan length)
    {
        const int Clients = 100, PerMinute = 600, Rounds = 9;
        const double TimesTheLimit = 10;
        using HostProcess host = await HostProcess.StartAsync("--device", "none");
        using HttpClient calm = await host.CreateUserAsync("calm");
        using HttpClient hammering = await host.CreateUserAsync("hammering");
        await host.SetQuotaAsync("hammering", new { requests_per_minute = PerMinute });
        List<double> without = [], with = [];
        await AskAsync(calm, TimeSpan.FromSeconds(2)); // warm-up
        long accepted = 0, refused = 0;
        long? began = null; // the rate is full until the hammering begins
        for (int round = 0; round < Rounds; round++)
        {
            without.AddRange(await AskAsync(calm, length / Rounds));
            began ??= Stopwatch.GetTimestamp();
            using CancellationTokenSource ended = new();
            Task[] clients = [.. Enumerable.Range(0, Clients).Select(number => Task.Run(async () =>
            {
                TimeSpan period = TimeSpan.FromMinutes(Clients / (PerMinute * TimesTheLimit));
                // Clients know nothing of each other: all at the same instant they would be one burst a second, as long as a hundredth of it, and its luck the p99.
                await Task.Delay(period * number / Clients);
                using PeriodicTimer pace = new(period);
                while (!ended.IsCancellationRequested)
                {
                    using HttpResponseMessage response = await hammering.GetAsync("/api/tokens");
                    if (response.StatusCode == HttpStatusCode.OK) Interlocked.Increment(ref accepted);
                    else Interlocked.Increment(ref refused);
                    await pace.WaitForNextTickAsync();
                }
            }))];
            with.AddRange(await AskAsync(calm, length / Rounds));
            await ended.CancelAsync();
            await Task.WhenAll(clients);
        }
        double limit = PerMinute + (Stopwatch.GetElapsedTime(began!.Value).TotalMinutes * PerMinute); // set in the first round
        report.Add("othersAloneMs", without);
        report.Add("othersBesideHammeringMs", with);
        report.Add("hammeringAccepted", accepted);
        report.Add("hammeringRefused", refused);
        report.Add("hammeringLimit", limit);
    }

    private static async Task<List<double>> AskAsync(HttpClient user, TimeSpan length)
    {
        List<double> times = [];
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < length)
        {
            long start = Stopwatch.GetTimestamp();
            using HttpResponseMessage response = await user.GetAsync("/api/tokens");
            response.EnsureSuccessStatusCode();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await Task.Delay(12); // at leisure: well below the user's own limit
        }
        return times;
    }

    private static double Us(long start, long end) => Stopwatch.GetElapsedTime(start, end).TotalMicroseconds;
}
