use strict;
use warnings;
use Debian::Debhelper::Dh_Lib;

insert_before('dh_shlibdeps', 'dh_patchbay');

1;
