using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Users;

public sealed class UserGrainTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private readonly GrainCluster _cluster = shared.Cluster;

    [Fact]
    public async Task Create_NewUser_FirstTokenMayEverythingButOperate()
    {
        TestUser alice = await _cluster.CreateUserAsync("First");

        TokenVerdict? verdict = await alice.Grain.AuthenticateAsync(alice.Token.Text);

        Assert.NotNull(verdict);
        Assert.Equal((alice.Id, "First", alice.Token.Id), (verdict.User, verdict.UserName, verdict.TokenId));
        Assert.Equal(TokenScopes.Read | TokenScopes.Infer | TokenScopes.Write | TokenScopes.Train, verdict.Scopes);
        UserFacts? facts = await alice.Grain.Describe();
        Assert.Equal((alice.Id, "First", 0, 0L), (facts!.User, facts.Name, facts.Models, facts.StoredBytes));
    }

    [Fact]
    public async Task Create_TakenName_IsRefusedInEveryCase()
    {
        TestUser alice = await _cluster.CreateUserAsync("Alice");

        await Refusal.OfAsync(RequestError.NameTaken, () => _cluster.CreateUserAsync("Alice"));
        await Refusal.OfAsync(RequestError.NameTaken, () => _cluster.CreateUserAsync("alice"));
        await Refusal.OfAsync(RequestError.NameTaken, () => _cluster.CreateUserAsync("ALICE"));

        IUserNameGrain name = _cluster.Client.GetGrain<IUserNameGrain>("alice");
        Assert.Equal(alice.Id, await name.Resolve("Alice"));
        Assert.Null(await name.Resolve("alice"));
        Assert.Equal(alice.Id, await name.Find());
    }

    [Fact]
    public async Task Claim_TwoSpellingsAtOnce_OneWins()
    {
        IUserNameGrain name = _cluster.Client.GetGrain<IUserNameGrain>("race");
        string[] spellings = ["race", "Race", "rAce", "raCe", "RACE"];

        Task<UserId>[] claims = [.. spellings.Select(name.Claim)];
        await Task.WhenAll(claims.Select(claim => claim.ContinueWith(_ => { }, TaskScheduler.Default)));

        Task<UserId> won = Assert.Single(claims, claim => claim.IsCompletedSuccessfully);
        string spelling = spellings[Array.IndexOf(claims, won)];
        Assert.Equal(await won, await name.Claim(spelling));
        Assert.All(claims.Where(claim => claim != won), claim => Assert.Equal(RequestError.NameTaken, ((RequestException)claim.Exception!.InnerException!).Error));
    }

    [Fact]
    public async Task Create_ClaimedButCutOff_IsFinishedByARepeat()
    {
        UserId first = await _cluster.Client.GetGrain<IUserNameGrain>("cutoff").Claim("cutoff");
        TestUser user = await _cluster.CreateUserAsync("cutoff");
        Assert.Equal(first, user.Id);
    }

    /// <summary>A creation that met a deletion of the same user left a user that no name led to.</summary>
    [Fact]
    public async Task Create_NameGivenBackMeanwhile_IsRefusedAndLeavesNothing()
    {
        UserId id = await _cluster.Client.GetGrain<IUserNameGrain>("crossed").Claim("crossed");
        await _cluster.Client.GetGrain<IUserNameGrain>("crossed").Release(id);

        await Refusal.OfAsync(RequestError.Conflict, () => _cluster.User(id).Create("crossed"));

        Assert.Null(await _cluster.User(id).Describe());
        Assert.NotEqual(id, (await _cluster.CreateUserAsync("crossed")).Id);
    }

    [Fact]
    public async Task Forget_UserWithModel_LeavesNothingAndFreesTheName()
    {
        TestUser gone = await _cluster.CreateUserAsync("Gone");
        await gone.PublishAsync("tiny");
        VersionId version = (await gone.LeaseAsync("tiny")).Version.Version;

        ForgetReceipt? receipt = await gone.Grain.Forget();

        Assert.Equal(("Gone", 1, 1, 1), (receipt!.Name, receipt.Models, receipt.Versions, receipt.Tokens));
        Assert.True(receipt.StoredBytes > 0);
        Assert.Null(await gone.Grain.AuthenticateAsync(gone.Token.Text));
        Assert.Null(await gone.Grain.Describe());
        Assert.Null(await gone.Grain.Forget());
        Assert.Null(_cluster.Files.TryGetLocalFolder(gone.Id, version));
        TestUser again = await _cluster.CreateUserAsync("gONE");
        Assert.NotEqual(gone.Id, again.Id);
        Assert.Null(await again.Grain.AuthenticateAsync(gone.Token.Text));
    }

    [Fact]
    public async Task EveryCall_UnknownUser_IsRefusedAlike()
    {
        IUserGrain nobody = _cluster.User(UserId.New());
        Assert.Null(await nobody.Describe());
        Assert.Null(await nobody.AuthenticateAsync(AccessToken.New(UserId.New()).Reveal()));
        await Refusal.OfAsync(RequestError.NotFound, nobody.ListModels);
        await Refusal.OfAsync(RequestError.NotFound, nobody.ListTokens);
        await Refusal.OfAsync(RequestError.NotFound, () => nobody.BeginUpload("tiny", null));
        await Refusal.OfAsync(RequestError.NotFound, () => nobody.CreateToken(new TokenSpec { Name = "t", Scopes = TokenScopes.Read }));
    }
}
